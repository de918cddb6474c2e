;; A core module without the types of a world.
(module (func (export "check")))
