"""Where and how it is filmed: places, lenses, sensors, painted looks."""
