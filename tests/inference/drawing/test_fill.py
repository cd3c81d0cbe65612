import numpy as np

from vasa_jax.inference.drawing.fill import fill


def test_what_is_not_known_is_continued():
  rows = np.linspace(0, 1, 64, dtype=np.float32)
  picture = np.broadcast_to(rows[:, None, None], (64, 64, 3)).copy()
  known = np.ones((64, 64), np.float32)
  known[24:40, 20:50] = 0
  holed = picture * known[..., None] + 9 * (1 - known[..., None])
  filled = fill(holed, known)
  np.testing.assert_allclose(filled[known > 0], picture[known > 0], atol=1e-6)
  assert np.abs(filled - picture).max() < 0.2
  nothing = fill(holed, np.zeros_like(known))
  assert not nothing.any()
