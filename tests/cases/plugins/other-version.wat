;; A filter for a later version of the contract.
(component
  (instance $guest)
  (export "gischat:filter/guest@2.0.0" (instance $guest)))
