"""Lids stop where they meet, and go with the eyes."""

import numpy as np
import pytest

from vasa_jax.face.template import load_template
from vasa_jax.inference.directing.lids import (
  EYES,
  MOST,
  PRESSED,
  RAISERS,
  closing_lids,
  following_lids,
)
from vasa_jax.types import Motion


def blinking(*amounts):
  z_dyn = np.zeros((len(amounts), 54), np.float32)
  z_dyn[:, 8] = z_dyn[:, 9] = amounts
  return Motion(np.zeros((len(amounts), 6), np.float32), z_dyn)


def gap(vertices, z_dyn, eye):
  template = load_template()
  moved = vertices + np.einsum('u,uvc->vc', z_dyn[:52], template.units)
  blink, upper, lower = EYES[eye]
  marks = np.einsum(
    'nkc,nk->nc', moved[template.landmark_index], template.landmark_weight
  )
  return (marks[list(upper)] - marks[list(lower)]).mean(0)[1]


def test_a_full_blink_closes_the_eye_and_goes_no_farther():
  head = load_template().mean
  asked = blinking(0.0, 0.3, 1.0)
  (made,) = closing_lids(head, iter([asked]))
  np.testing.assert_array_equal(made.z_dyn[:2], asked.z_dyn[:2])
  for eye in (0, 1):
    per_unit = gap(head, made.z_dyn[0], eye) - gap(head, asked.z_dyn[2], eye)
    shut = gap(head, made.z_dyn[2], eye)
    assert shut == pytest.approx(-PRESSED * per_unit, abs=1e-3)
    assert shut > gap(head, asked.z_dyn[2], eye)


def test_wide_eyes_need_more_of_a_blink():
  head = load_template().mean
  asked = blinking(1.4, 1.4)  # which is more than either eye needs
  asked.z_dyn[1, [20, 21]] = 1.0  # eyeWideLeft and eyeWideRight
  (made,) = closing_lids(head, iter([asked]))
  assert made.z_dyn[1, 8] > made.z_dyn[0, 8]
  assert gap(head, made.z_dyn[1], 0) == pytest.approx(
    gap(head, made.z_dyn[0], 0), abs=1e-3
  )


def test_only_blinks_change():
  asked = blinking(1.0)
  asked.z_dyn[0, 20:] = 0.3
  (made,) = closing_lids(load_template().mean, iter([asked]))
  others = np.delete(np.arange(54), [8, 9])
  np.testing.assert_array_equal(made.z_dyn[:, others], asked.z_dyn[:, others])
  assert asked.z_dyn[0, 8] == 1.0  # the window itself is left as it was


def test_lids_go_with_the_eyes():
  own, asked = blinking(0.1), blinking(0.1, 0.1, 0.1, 0.1)
  own.z_dyn[0, 53] = 0.05
  asked.z_dyn[:, 53] = [0.05, -0.15, 0.25, -0.5]
  (made,) = following_lids(own, iter([asked]))
  changed = made.z_dyn - asked.z_dyn
  np.testing.assert_array_equal(changed[0], 0)  # as in the portrait
  down, up, far = changed[1:]
  assert (down[[8, 9]] > 0.1).all() and not down[RAISERS].any()
  assert (up[RAISERS] > 0.1).all() and not up[[8, 9]].any()
  np.testing.assert_allclose(far[[8, 9]], MOST)
  others = np.delete(np.arange(54), [8, 9, *RAISERS])
  np.testing.assert_array_equal(changed[:, others], 0)
  assert gap(load_template().mean, made.z_dyn[1], 0) < gap(
    load_template().mean, asked.z_dyn[1], 0
  )
