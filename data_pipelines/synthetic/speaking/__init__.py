"""What is said and by whom: texts, voices, phone times, rooms."""
