"""What a camera and a microphone tell of a person: small functions with units.

`detect` finds faces, `mesh` follows one with 468 points and two irises, and `labels`
turns a square crop's frames into the labels of a record: head pose (`pose`), gaze
(`gaze`), eyes and mouth (`lids`, `blinks`), emotion (`emotion`). `identity`, `speech`
and `quality` serve the filters. Nothing here imports jax: data workers run it.

What was measured, and how well, is in docs/data.md under "Perception".
"""
