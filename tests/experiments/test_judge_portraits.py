"""The command with a stand-in for the product: what it writes, keeps and refuses."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import vasa_jax
from experiments import evaluate, judge_portraits
from experiments.make_voices import wav_bytes
from experiments.portrait_judging import controls, filming, measuring, pictures
from experiments.portrait_judging.controls import LEVELS, Reading
from vasa_jax.errors import UserError
from vasa_jax.inference.finding.portrait import find_portrait, load_picture
from vasa_jax.inference.media.video import VideoWriter
from vasa_jax.types import Motion

FRAMES, SIDE = 12, 256
EXAMPLE = filming.Path(vasa_jax.__file__).with_name('examples') / 'portrait.jpg'


class StandIn:
  """Writes the portrait, moved to the right by a pixel more in every frame."""

  def __init__(self):
    config = SimpleNamespace(anchored=False)
    self.bundle = SimpleNamespace(name='stand-in', digest='0', face_config=config)
    self.asked, self.talks = [], []

  def portrait(self, path):
    return find_portrait(load_picture(path), SIDE, str(path))

  def talk(self, portrait, audio, out, *, seed, **settings):
    self.talks.append((portrait.stem, audio.stem, seed))
    crop = self.portrait(portrait).crop
    pose = np.zeros((FRAMES, 6), np.float32)
    pose[:, 0] = np.radians(np.arange(FRAMES))
    self.asked = [Motion(pose[:8], pose[:8]), Motion(pose[8:], pose[8:])]
    with VideoWriter(out, (SIDE, SIDE), sound_rate=None) as writer:
      writer.write(np.stack([np.roll(crop, i, 1) for i in range(FRAMES)]))
    return SimpleNamespace(frames=FRAMES)


@pytest.fixture
def inputs(tmp_path, monkeypatch):
  """One portrait, one picture without a face, one voice; no descriptor."""
  (tmp_path / 'in').mkdir()
  (tmp_path / 'in' / 'anna.jpg').write_bytes(EXAMPLE.read_bytes())
  Image.new('RGB', (300, 300), 'grey').save(tmp_path / 'in' / 'wall.png')
  (tmp_path / 'voices').mkdir()
  (tmp_path / 'voices' / 'hum.wav').write_bytes(wav_bytes(np.zeros(16_000)))
  (tmp_path / 'voices' / 'hum.phones.json').write_text(
    json.dumps({'phones': [['b', 0, 0.1], ['sil', 0.1, 1.0]]})
  )
  face = StandIn()
  monkeypatch.setattr(filming.WatchedFace, 'load', lambda path: face)
  monkeypatch.setattr(evaluate, 'installed_descriptor', lambda facts: None)
  monkeypatch.setattr(measuring, 'corpus_acceleration', lambda: 0.5)
  words = ['--portraits', str(tmp_path / 'in'), '--voices', str(tmp_path / 'voices')]
  words += ['--weights', 'embedded', '--out', str(tmp_path / 'out')]
  return face, words, tmp_path


def test_report_refusals_and_going_on(inputs, capsys):
  face, words, folder = inputs
  assert judge_portraits.main(words) == 0
  table = json.loads((folder / 'out' / 'table.json').read_text())
  rows = {(row['clip'], row['system']): row for row in table['clips']}
  made = rows['anna', 'model']
  assert made['mesh_found'] == 100 and made['sharpness'] == pytest.approx(1, abs=0.1)
  # A picture that slides away as a whole has no still background.
  assert made['background'] > 3 and made['background_above'] > 3
  assert made['delta_p_asked'] == pytest.approx(1 / 3, abs=1e-4)
  assert made['acceleration_asked'] == pytest.approx(0, abs=1e-3)
  assert made['closures'] == 100
  assert 'no face found' in rows['wall', 'model']['refused']
  assert 'no face found' in table['failures'][0]
  lines = {(m['metric'], m['system']): m for m in table['metrics']}
  assert lines['mesh_found', 'model']['passed'] is True
  assert lines['background', 'model']['passed'] is False
  sheet = load_picture(folder / 'out' / 'sheet.png')
  assert sheet.shape == (pictures.SIDE + 40, 9 * pictures.SIDE, 3)
  assert len(load_picture(folder / 'out' / 'worst.png')) > pictures.SIDE
  assert face.talks == [('anna', 'hum', 0)]
  assert judge_portraits.main(words) == 0  # from what was kept
  assert len(face.talks) == 1
  assert json.loads((folder / 'out' / 'table.json').read_text()) == table
  (video,) = (folder / 'out' / 'clips').glob('anna__hum_*.mp4')
  video.with_suffix('.scores.json').write_text('{"version":')  # cut off
  assert judge_portraits.main(words) == 0
  assert len(face.talks) == 1
  capsys.readouterr()


def test_a_head_that_turns_before_a_wall_leaves_the_wall_alone(tmp_path):
  """What the codec does does to a perfect product does not break the promise."""
  from vasa_jax.metrics.portrait_scores import HEAD, face_hull, fill

  seated = find_portrait(load_picture(EXAMPLE), SIDE)
  mesh, crop = seated.landmarks.points, seated.crop
  still = filming.encoded(crop, tmp_path / 'still.mp4')
  assert np.abs(still.astype(float) - crop).mean() > 1
  head = fill(face_hull(mesh, HEAD), crop.shape)[..., None]
  with VideoWriter(tmp_path / 'moving.mp4', (SIDE, SIDE), sound_rate=None) as writer:
    writer.write(np.stack([
      np.where(head, np.roll(crop, i % 5, 1), crop) for i in range(FRAMES)
    ]))  # fmt: skip
  film = filming.Film(tmp_path / 'moving.mp4', np.zeros((0, 3)))
  sitter = filming.Sitter('anna', EXAMPLE, seated, still)
  found = measuring.measure(film, sitter).scores
  promised = measuring.PORTRAIT_METRICS['background'].bar
  assert max(found['background'], found['background_above']) < promised
  assert 'acceleration_ratio' not in found and 'mouth_r' not in found


def test_nobody_and_nothing(inputs, capsys):
  _, words, folder = inputs
  (folder / 'in' / 'anna.jpg').unlink()
  assert judge_portraits.main(words) == 1
  assert 'no portrait could be used' in capsys.readouterr().err
  (folder / 'in' / 'wall.png').unlink()
  assert judge_portraits.main(words) == 1
  assert 'holds no portraits' in capsys.readouterr().err
  (folder / 'voices' / 'hum.phones.json').write_text('[]')
  with pytest.raises(UserError, match='make_voices'):
    filming.phones_of(folder / 'voices' / 'hum.wav')


def test_names_and_the_choice_of_the_worst(tmp_path):
  path = tmp_path / 'a' / 'the face.jpg'
  assert filming.name_of(path, tmp_path) == 'a_the_face'
  crop = np.zeros((4, 4, 3), np.uint8)
  bad = [pictures.Bad('a', tmp_path / 'a', crop, i, 0.1 * i) for i in range(9)]
  bad.append(pictures.Bad('b', tmp_path / 'b', crop, 0, 0.25))
  found = pictures.worst_of(bad, lowest=False)
  assert [(one.name, one.frame) for one in found] == [('a', 8), ('a', 7), ('b', 0)]
  found = pictures.worst_of(bad, lowest=True)
  assert [(one.name, one.frame) for one in found] == [('a', 0), ('a', 1), ('b', 0)]
  assert pictures.even_frames(15) == [0, 2, 4, 6, 8, 10, 12, 14]


def readings(reverse=None, leak=0.0):
  """A portrait that obeys, but one control, and of which one leaks into the head."""
  found = []
  for control, levels in LEVELS.items():
    for i, level in enumerate(levels):
      read = dict.fromkeys(LEVELS, 0.0)
      read[control] = -level if control == reverse else level
      if control == 'gaze':
        read['yaw'] = leak * i
      found.append(Reading(control, level, read))
  return found


def test_controls_that_disobey_or_leak_are_seen():
  good, odd = readings(), readings(reverse='distance', leak=2.0)
  found = {one.control: one for one in controls.summarise([good, odd, odd])}
  assert found['yaw'].monotone == 1 and found['yaw'].read == list(LEVELS['yaw'])
  assert found['distance'].monotone == pytest.approx(1 / 3)
  assert found['gaze'].others['yaw'] == 8 and found['yaw'].others['gaze'] == 0
  text = controls.markdown(found.values())
  assert (
    '| gaze, deg | -20, -10, 0, 10, 20 | -20.00, ' in text and 'yaw 8.00 deg' in text
  )
  blind = [
    r._replace(read=r.read | {'anger': float('nan')}) for r in readings()
  ]  # fmt: skip
  assert 'anger' not in {one.control for one in controls.summarise([blind])}


def test_emotions_do_not_saturate():
  shares = np.float32([0.0, 0.1, 0.5, 0.99, 0.9999, 1.0])
  found = controls.log_odds(shares)
  assert np.isfinite(found).all() and (np.diff(found) > 1).all()
  assert found[2] == 0 and found[1] == pytest.approx(-np.log(9), abs=1e-6)


def test_controls_are_asked_through_the_product(tmp_path):
  drive = tmp_path / 'yaw.json'
  assert controls.settings_of('gaze', 10.0, drive) == {'gaze': [10.0, 0.0]}
  assert controls.settings_of('anger', 0.5, drive) == {'emotion': {'anger': 0.5}}
  asked = controls.settings_of('yaw', 10.0, drive)
  assert asked == {'drive': drive, 'drive_parts': 'pose'}
  (tmp_path / 'long.wav').write_bytes(wav_bytes(np.ones(80_000) * 0.1))
  short = controls.excerpt(tmp_path / 'long.wav', tmp_path / 'short.wav')
  assert short.stat().st_size == pytest.approx(2 * 48_000, abs=100)
  (tmp_path / 'long.wav').write_bytes(b'no sound')
  with pytest.raises(UserError, match='not a wav file'):
    controls.excerpt(tmp_path / 'long.wav', tmp_path / 'short.wav')


def test_controls_are_read_once(tmp_path, monkeypatch):
  asked = []

  def film(face, sitter, voice, folder, seed, settings, about):
    asked.append((settings, about))
    return filming.Film(folder / f'{len(asked) % 30}.mp4', np.zeros((0, 3)))

  def read_back(path, sitter, emotions):
    assert len(asked) <= 30, 'read a second time'
    return dict.fromkeys(LEVELS, float(len(asked)))

  monkeypatch.setattr(controls, 'film', film)
  monkeypatch.setattr(controls, 'read_back', read_back)
  found = controls.obey(None, None, None, tmp_path, None)
  assert [one.level for one in found if one.control == 'yaw'] == list(LEVELS['yaw'])
  assert {about for settings, about in asked if 'drive' in settings} == {
    json.dumps({'pose': {'yaw': level}}) for level in LEVELS['yaw']
  }
  assert (tmp_path / 'yaw_-20.json').read_text() == '{"pose": {"yaw": -20.0}}'
  assert controls.obey(None, None, None, tmp_path, None) == found
