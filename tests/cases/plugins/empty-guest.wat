;; The right name, and none of the functions.
(component
  (instance $guest)
  (export "gischat:filter/guest@1.0.0" (instance $guest)))
