"""What is asked of a performance: controls, given motion, the portrait's stance."""
