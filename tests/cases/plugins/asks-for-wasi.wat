;; A component that imports clocks and files.
(component
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance (export "now" (func (result u64)))))
  (import "wasi:filesystem/types@0.2.0" (instance))
  (instance $guest)
  (export "gischat:filter/guest@1.0.0" (instance $guest)))
