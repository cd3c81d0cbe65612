"""What opens, closes and looks, drawn anew in every frame."""
