"""The renderer: meshes, light, materials, one frame at a time, in numba."""
