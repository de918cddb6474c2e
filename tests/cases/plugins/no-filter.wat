;; A component that is something else.
(component)
