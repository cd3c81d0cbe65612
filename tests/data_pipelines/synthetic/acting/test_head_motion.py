import dataclasses

import numpy as np
import pytest

from data_pipelines.synthetic.acting import (
  body,
  expression,
  gaze,
  head_motion,
  manner,
  prosody,
)
from data_pipelines.synthetic.acting.curves import bump, ease, plateau, smooth, steps
from data_pipelines.synthetic.acting.manner import COLOURS
from data_pipelines.synthetic.acting.visemes import UNIT, UNITS

FRAMES = 250
QUIET = prosody.Prosody(
  energy=np.zeros(FRAMES), f0=np.zeros(FRAMES), pitch=np.zeros(FRAMES),
  silent=np.ones(FRAMES, bool), stresses=(), phrases=(), pauses=(),
)  # fmt: skip


def heads(heard, n=60, text='It is.', **style):
  """Mean pose `(t, 6)` of `n` heads that hear the same: noise averages out."""
  found = []
  for seed in range(n):
    rng = np.random.default_rng(seed)
    drawn = dataclasses.replace(manner.draw_manner(rng), main_gaze=(0.0, 0.0), **style)
    mood = expression.feel(rng, FRAMES, QUIET, 'neutral')
    look = gaze.plan_gaze(rng, FRAMES, drawn, QUIET, mood)
    found.append(
      head_motion.move_head(rng, FRAMES, drawn, heard, mood, look, text)[:, :3]
    )
  return np.array(found)


def brows(heard, n=60):
  total = 0
  for seed in range(n):
    rng = np.random.default_rng(seed)
    style = dataclasses.replace(manner.draw_manner(rng), frowns=0.0)
    mood = expression.feel(rng, FRAMES, QUIET, 'neutral')
    total = total + expression.move_brows(rng, FRAMES, style, heard, mood) / n
  return total[:, UNIT['browInnerUp']]


def test_heads_nod_on_stress():
  heard = QUIET._replace(stresses=(prosody.Stress(120.0, 1.0),))
  nod = (heads(heard, nods=1.0) - heads(QUIET, nods=1.0))[:, :, 1].mean(0)
  plain = nod - np.median(nod)
  assert plain[119:124].mean() > 0.012  # down
  assert plain[114:117].mean() < plain[119:124].mean() - 0.012


def test_heads_and_brows_rise_with_the_pitch():
  pitch = 5.0 * bump(FRAMES, 120, 10, 10)
  heard = QUIET._replace(pitch=pitch)
  raised = (heads(heard) - heads(QUIET))[:, :, 1].mean(0)
  assert np.corrcoef(raised, pitch)[0, 1] < -0.9  # pitch < 0 looks up
  brow = brows(heard)
  assert brow[120] > brow[40] + 0.15
  assert np.corrcoef(brow, pitch)[0, 1] > 0.9


def test_questions_lift_head_and_brows():
  ask, tell = (
    QUIET._replace(phrases=(prosody.Phrase(60.0, 160.0, 0.0, asks),))
    for asks in (True, False)
  )
  lift = (heads(ask, 150) - heads(tell, 150))[:, :, 1].mean(0)
  assert lift[155:165].mean() < lift[:90].mean() - 0.02
  assert brows(ask)[158] > brows(tell)[158] + 0.2


def test_a_no_is_shaken_more_often():
  heard = QUIET._replace(phrases=(prosody.Phrase(60.0, 160.0, 0.0, False),))

  def shaking(text):
    swings = [
      head_motion._shakes(
        np.random.default_rng(seed), FRAMES, heard, np.ones(FRAMES), text
      )
      for seed in range(200)
    ]
    shaken = [swing for swing in swings if swing.any()]
    for swing in shaken:  # side to side, back and forth, a few degrees
      yaw = swing[:, 0]
      assert yaw.max() > 0.01 and yaw.min() < -0.01 and np.abs(yaw).max() < 0.07
      assert not swing[:, 1:].any()
    return len(shaken) / len(swings)

  assert shaking("I don't know.") > 0.3 > 0.1 > shaking('I know it, north.') > 0


def test_lively_people_move_more():
  calm, wild = (
    np.abs(np.diff(heads(QUIET, 20, amplitude=a), axis=1)).mean() for a in (0.6, 1.4)
  )
  assert wild > 1.8 * calm


def test_emotions_colour_motion():
  assert COLOURS['sadness'].amplitude < 0.8 < 1.1 < COLOURS['anger'].amplitude
  rng = np.random.default_rng(0)
  mood = expression.feel(rng, FRAMES, QUIET, 'sadness')
  assert (mood.colour.amplitude < 0.95).all() and (mood.colour.pitch > 0.01).all()
  assert mood.scores.sum(1) == pytest.approx(1)


def test_moods_come_stay_and_go():
  heard = QUIET._replace(phrases=(prosody.Phrase(90.0, 200.0, 0.0, False),))
  changed = late = 0
  for seed in range(300):
    mood = expression.feel(np.random.default_rng(seed), FRAMES, heard, None)
    felt = 1 - mood.scores[:, expression.EMOTIONS.index('neutral')]
    assert felt.max() <= 0.951 and mood.scores.min() >= 0
    assert np.abs(np.diff(mood.scores, axis=0)).max() < 0.3  # nothing snaps
    changed += len(set(mood.scores[[5, -5]].argmax(1))) > 1
    late += felt[0] < 0.02 and felt.max() > 0.25
  assert 30 < changed < 200 and 15 < late < 150


def test_faces_are_a_little_lopsided():
  sides = []
  for seed in range(50):
    face = expression.feel(np.random.default_rng(seed), 50, QUIET, 'happiness').face
    left, right = face[25, UNIT['mouthSmileLeft']], face[25, UNIT['mouthSmileRight']]
    sides.append(left / right)
  assert 0.04 < np.std(sides) < 0.2 and 0.75 < min(sides) and max(sides) < 1.3
  assert UNITS[UNIT['mouthSmileLeft']] == 'mouthSmileLeft'


def test_the_torso_sways_breathes_and_follows_slow_turns():
  rng = np.random.default_rng(0)
  turns, waves = [], []
  pose = np.zeros((FRAMES, 6))
  for _ in range(60):
    style = manner.draw_manner(rng)
    mood = expression.feel(rng, FRAMES, QUIET, 'neutral')
    turns.append(body.move_torso(rng, pose, style, QUIET, mood).turn)
    air = body.breathe(1000, style, _quiet(1000))
    power = np.abs(np.fft.rfft(air - air.mean()))
    waves.append(power.argmax() / 40)
  assert (np.rad2deg(np.concatenate(turns).std(0)) > 0.9).all()
  assert (np.rad2deg(np.concatenate(turns).std(0)) < 3).all()
  assert 0.19 < min(waves) and max(waves) < 0.31
  turned = pose.copy()
  turned[:, 0] = 0.5 * ease((np.arange(FRAMES) - 80) / 30)
  ways = []
  for p in (turned, pose):
    rng = np.random.default_rng(1)
    ways.append(body.move_torso(rng, p, style, QUIET, mood).turn[:, 0])
  follow = ways[0] - ways[1]
  assert 0.06 < follow[-1] < 0.2 and abs(follow[0]) < 1e-3
  assert np.abs(np.diff(follow)).max() < 0.5 * np.abs(np.diff(turned[:, 0])).max()


def _quiet(frames):
  zeros = np.zeros(frames)
  return QUIET._replace(
    energy=zeros, f0=zeros, pitch=zeros, silent=np.ones(frames, bool)
  )


def test_people_breathe_in_before_they_speak():
  heard = QUIET._replace(
    phrases=(prosody.Phrase(100.0, 200.0, 0.0, False),),
    silent=~((np.arange(FRAMES) >= 100) & (np.arange(FRAMES) < 200)),
  )
  rng = np.random.default_rng(0)
  air = np.mean(
    [body.breathe(FRAMES, manner.draw_manner(rng), heard) for _ in range(60)], axis=0
  )
  assert air[100] > air[78] + 0.4 and air[190] < air[100] - 0.2


def test_curves():
  assert ease(np.array([-1, 0, 0.5, 1, 2])).tolist() == [0, 0, 0.5, 1, 1]
  hull = plateau(100, 20, 80, 10, 10)
  assert hull[20] == 0 and hull[50] == 1 and hull[80] == 0 and hull[25] == 0.5
  track = steps(50, [0, 10, 30], np.array([[0.0], [1], [-1]]), np.array([5, 5, 5]))
  assert track[5] == 0 and track[20] == 1 and track[40] == -1
  assert smooth(np.full(9, 3.0), 2.0) == pytest.approx(3.0)
