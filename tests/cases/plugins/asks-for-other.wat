;; A component that imports an interface that does not exist.
(component
  (import "gischat:admin/kick@1.0.0" (instance))
  (instance $guest)
  (export "gischat:filter/guest@1.0.0" (instance $guest)))
