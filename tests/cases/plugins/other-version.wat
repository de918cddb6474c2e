;; A filter of a contract to come.
(component
  (instance $guest)
  (export "gischat:filter/guest@2.0.0" (instance $guest)))
