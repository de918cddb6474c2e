;; A component that wants something of a relay that does not exist.
(component
  (import "gischat:admin/kick@1.0.0" (instance))
  (instance $guest)
  (export "gischat:filter/guest@1.0.0" (instance $guest)))
