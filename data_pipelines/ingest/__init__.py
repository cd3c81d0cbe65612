"""Raw videos to clips: time, shots, people, crops, filters, and the bookkeeping."""
