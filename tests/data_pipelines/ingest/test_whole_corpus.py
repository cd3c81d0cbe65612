"""What many clips say together: shifted sound, duplicates, people, the plan."""

import numpy as np
import pytest

from data_pipelines.ingest import duplicates, packing, sync
from data_pipelines.ingest.config import Config
from data_pipelines.ingest.outcome import Outcome, Report
from data_pipelines.ingest.staging import Staged


def spoken(frames: int, late: int, seed: int, noise: float = 1.0):
  """Mouth opening, and sound that comes `late` frames after it."""
  rng = np.random.default_rng(seed)
  mouth = np.interp(np.arange(frames + 40) / 3, np.arange(400), rng.uniform(0, 1, 400))
  level = np.repeat(mouth[20 - late : 20 - late + frames], 640)
  sound = (level * 9000 * rng.choice([-1, 1], level.size)).astype(np.int16)
  return mouth[20 : 20 + frames] + noise * rng.normal(0, 0.3, frames), sound


@pytest.mark.parametrize('late', [-6, 0, 4])
def test_the_offset_of_a_video_comes_from_all_its_clips(late):
  curves = [sync.curve(*spoken(150, late, seed)) for seed in range(12)]
  found = sync.offset(curves, [150] * 12)
  assert found.frames == late
  assert found.clear == (late != 0)


def test_unrelated_sound_is_not_called_shifted():
  for seed in range(20):
    curves = []
    for k in range(6):
      mouth, _ = spoken(150, 0, 100 * seed + k)
      _, sound = spoken(150, 0, 100 * seed + k + 50)
      curves.append(sync.curve(mouth, sound))
    assert not sync.offset(curves, [150] * 6).clear
  assert not sync.offset([], []).clear
  assert sync.curve(np.ones(20), np.zeros(640 * 20, np.int16)) == [0.0] * 25


def clip_of(seed: int, frames: int = 60, size: int = 64):
  import cv2

  rng = np.random.default_rng(seed)
  small = rng.integers(0, 255, (8, 6, 6, 3)).astype(np.uint8)
  crops = np.stack([
    cv2.resize(small[i * 8 // frames], (size, size), interpolation=cv2.INTER_CUBIC)
    for i in range(frames)
  ])  # fmt: skip
  level = np.repeat(rng.uniform(0, 1, frames), 640)
  return crops, (level * 9000 * rng.choice([-1, 1], level.size)).astype(np.int16)


def test_a_copy_in_worse_quality_is_a_duplicate_and_others_are_not():
  import cv2

  signatures, lengths = [], []
  for seed in range(40):
    crops, sound = clip_of(seed)
    signatures.append(duplicates.signature(crops, sound))
    lengths.append(len(crops))
  for seed in (3, 17):
    crops, sound = clip_of(seed)
    bad = [cv2.imencode('.jpg', c, [cv2.IMWRITE_JPEG_QUALITY, 30])[1] for c in crops]
    worse = np.stack([cv2.imdecode(b, cv2.IMREAD_COLOR) for b in bad])
    worse = np.stack([cv2.resize(c, (48, 48)) for c in worse])
    quiet = (sound * 0.7 + np.random.default_rng(1).normal(0, 40, sound.size)).astype(
      np.int16
    )
    signatures.append(duplicates.signature(worse, quiet))
    lengths.append(60)
  # the same pictures with another sound are another recording (a dubbed one)
  signatures.append(duplicates.signature(clip_of(5)[0], clip_of(6)[1]))
  lengths.append(60)
  config = Config()
  found = duplicates.find_duplicates(
    signatures, lengths, config.picture_bits, config.sound_bits
  )
  assert found == {40: 3, 41: 17}


def silent_talk(seed: int, frames: int = 100) -> np.ndarray:
  """`(t, 64, 64, 3)`: one face before one wall, moving each time otherwise."""
  import cv2

  base = np.random.default_rng(99).integers(0, 255, (6, 6, 3)).astype(np.uint8)
  base = cv2.resize(base, (72, 72), interpolation=cv2.INTER_CUBIC)
  rng = np.random.default_rng(seed)
  way = np.cumsum(rng.normal(0, 0.35, (frames, 2)) * rng.uniform(0, 1, (frames, 1)), 0)
  way = way - way.mean(0)
  return np.stack([
    cv2.warpAffine(base, np.float32([[1, 0, -4 + x], [0, 1, -4 + y]]), (64, 64))
    for x, y in np.clip(way, -3, 3)
  ])  # fmt: skip


@pytest.mark.parametrize('noise', ['none', 'click', 'dither'])
def test_silent_clips_of_one_person_are_no_duplicates_but_copies_are(noise):
  import cv2

  silence = np.zeros(100 * 640, np.int16)
  if noise == 'click':
    silence[30_000:30_500] = 4000
  elif noise == 'dither':
    silence = np.random.default_rng(5).integers(-1, 2, silence.shape).astype(np.int16)
  takes = [silent_talk(seed) for seed in range(12)]
  half = [cv2.resize(c, (40, 40), interpolation=cv2.INTER_AREA) for c in takes[7]]
  bad = [cv2.imencode('.jpg', c, [cv2.IMWRITE_JPEG_QUALITY, 40])[1] for c in half]
  takes.append(np.stack([cv2.imdecode(b, cv2.IMREAD_COLOR) for b in bad]))
  config = Config()
  found = duplicates.find_duplicates(
    [duplicates.signature(crops, silence) for crops in takes],
    [100] * len(takes), config.picture_bits, config.sound_bits,
  )  # fmt: skip
  assert found == {12: 7}


def test_people_are_met_again():
  a, b = np.array([1.0, 0.0]), np.array([0.6, 0.8])
  assert duplicates.same_person(a, [], 0.5) is None
  assert duplicates.same_person(a, [b], 0.7) is None
  assert duplicates.same_person(a, [b, a], 0.7) == 1


def test_likeness_is_measured_by_the_descriptors_own_limit():
  """Descriptors of two people may be nearly parallel: dlib's have a cosine of .85."""
  angle = 2 * np.arcsin(0.4 / 2)  # .4 apart
  a, b = np.array([1.0, 0.0]), np.array([np.cos(angle), np.sin(angle)])
  assert duplicates.likeness(a, a, 0.4) == 1
  assert duplicates.likeness(a, b, 0.4) == pytest.approx(0.5)
  assert duplicates.likeness(a, b, 1.0) == pytest.approx(a @ b) and a @ b > 0.9
  assert duplicates.same_person(a, [b], 0.7) == 0  # what the cosine alone would say
  assert duplicates.same_person(a, [b], 0.7, 0.4) is None


def staged(key: str, clips: int, late: int = 0, first: int = 0) -> Staged:
  outcomes = []
  for k in range(clips):
    number = 1000 * (hash(key) % 97) + k if not first else first + k
    curve = sync.curve(*spoken(150, late, k, noise=0.3))
    crops, sound = clip_of(number)
    outcomes.append(
      Outcome(
        f'{key}-{k}',
        0.0,
        150,
        None,
        {},
        f'{key}-p0',
        duplicates.signature(crops, sound),
        curve,
      )  # fmt: skip
    )
    outcomes.append(Outcome(f'{key}-{k}s', 0.0, 10, 'short', {}))
  report = Report(key, outcomes=outcomes)
  kept = tuple(o for o in outcomes if o.reason is None)
  return Staged(report, kept, tuple((10 + k, 0) for k in range(clips)))


def test_the_plan_drops_what_only_the_whole_can_tell():
  videos = [
    staged('a', 20, first=100), staged('b', 5, late=6, first=200),
    staged('c', 3, first=110), staged('d', 4, first=300),
  ]  # fmt: skip
  plan = packing.make_plan(videos, Config(), 0.0)
  assert {plan.late[1, r] for r in range(5)} == {'sync'}
  assert {plan.late[2, r] for r in range(3)} == {'duplicate'}
  assert plan.clips == 24 and plan.totals == {'train': 2}
  places = [*plan.shards['train', 0], *plan.shards['train', 1]]
  assert [(p.video, p.record) for p in places] == [
    *((0, r) for r in range(20)), *((3, r) for r in range(4)),
  ]  # fmt: skip
  assert packing.make_plan(videos, Config(), 0.0) == plan


def test_a_person_is_in_one_split():
  names = [f'person-{i}' for i in range(2000)]
  held = [n for n in names if packing.split_of(n, 0.1) == 'validation']
  assert 150 < len(held) < 250
  assert all(packing.split_of(n, 0.2) == 'validation' for n in held)
  assert all(packing.split_of(n, 0.0) == 'train' for n in names)
