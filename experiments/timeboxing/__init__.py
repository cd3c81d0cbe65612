"""Training within a time: a stage and its settings, the box that holds both."""
