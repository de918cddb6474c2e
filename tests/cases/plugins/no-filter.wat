;; A component that is not a filter.
(component)
