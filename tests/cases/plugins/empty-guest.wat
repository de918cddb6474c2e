;; The right interface name without functions.
(component
  (instance $guest)
  (export "gischat:filter/guest@1.0.0" (instance $guest)))
