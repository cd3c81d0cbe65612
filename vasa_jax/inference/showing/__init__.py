"""How a frame is put together, and what of it is seen."""
