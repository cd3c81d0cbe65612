"""Teeth and tongue as pictures: where they lie, and in which light."""

import numpy as np
import pytest

from vasa_jax.face.template import load_template
from vasa_jax.inference.drawing import mouth_pictures
from vasa_jax.inference.finding.portrait import find_portrait


@pytest.mark.parametrize('view', [0.0, 15.0, 30.0, -15.0])
def test_teeth_lie_where_the_template_has_them(view):
  rows = mouth_pictures.pictures(view)
  boxes = mouth_pictures.UPPER, mouth_pictures.LOWER
  template = load_template()
  at = mouth_pictures.turned(template.mean, view)
  for row, box, anchors in zip(rows, boxes, mouth_pictures.anchors(view), strict=True):
    assert row.shape == (box.rows, mouth_pictures.SIDE, 4)
    assert 0 <= row.min() and row.max() <= 1
    assert len(anchors) == mouth_pictures.ANCHORS
    x, y, _ = at[anchors].T
    column = (x - box.left) / (box.right - box.left) * row.shape[1]
    line = (box.top - y) / (box.top - box.bottom) * row.shape[0]
    there = row[line.astype(int), column.astype(int)]
    assert (there[:, 3] > 0.5).mean() > 0.85


def test_views_of_the_other_side_are_mirrored():
  for left, right in zip(
    mouth_pictures.pictures(-30.0), mouth_pictures.pictures(30.0), strict=True
  ):
    np.testing.assert_array_equal(left, right[:, ::-1])
  assert [mouth_pictures.view_of(yaw) for yaw in (-50, -8, 3, 22, 23)] == [
    -30,
    -15,
    0,
    15,
    30,
  ]


def test_a_view_turns_what_is_in_front_aside():
  front = mouth_pictures.turned(np.array([0.0, 0.2, mouth_pictures.AXIS + 1]), 30.0)
  np.testing.assert_allclose(front, [0.5, 0.2, np.sqrt(0.75)], atol=1e-6)


def test_upper_teeth_are_white_above_a_dark_throat():
  upper, lower = mouth_pictures.pictures(0.0)
  line, middle = upper.shape[0] - 1, slice(100, 156)
  ends = np.array([np.flatnonzero(upper[:, x, 3] > 0.9).max() for x in range(100, 156)])
  assert ends.max() < line  # the row ends inside its picture
  teeth = np.array(
    [upper[y - 6, x, :3] for y, x in zip(ends, range(100, 156), strict=True)]
  )
  assert np.median(teeth.mean(-1)) > 0.6
  assert np.median(np.ptp(teeth, -1)) < 0.2  # hardly coloured
  gums = upper[30:42, middle, :3][upper[30:42, middle, 3] > 0.9]
  assert np.median(gums[:, 0] - gums[:, 1]) > 0.2
  assert mouth_pictures.CAVITY[0].max() < 0.2 < lower[..., :3].max()


def test_a_small_portrait_gets_a_soft_mouth():
  row = mouth_pictures.pictures(0.0)[0]
  assert mouth_pictures.dulled(row, 4000) is row

  def sharpness(picture):
    return np.abs(np.diff(picture[..., 3], axis=1)).max()

  soft = mouth_pictures.dulled(row, 128)
  assert soft.shape == row.shape and 0 <= soft.min() and soft.max() <= 1
  assert sharpness(soft) < 0.5 * sharpness(row)
  solid = row[..., 3] > 0.99
  assert np.abs(soft - row)[solid].mean() < 0.08  # colours do not bleed out


def test_the_light_follows_the_portrait(picture):
  bright = mouth_pictures.light_on(find_portrait(picture, 128))
  assert bright.colour == 1 and 0.8 < bright.factor.mean() <= 1.1
  dark = (picture * 0.4).astype(np.uint8)
  assert mouth_pictures.light_on(find_portrait(dark, 128)).factor.mean() < 0.6
  grey = np.repeat(picture.mean(-1, keepdims=True), 3, -1).astype(np.uint8)
  found = mouth_pictures.light_on(find_portrait(grey, 128))
  assert found.colour == 0
  on = found.on(mouth_pictures.pictures(0.0)[0])
  np.testing.assert_allclose(np.ptp(on[..., :3], -1), 0, atol=1e-6)
