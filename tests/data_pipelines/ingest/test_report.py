"""The page about real videos: does it count, name and explain everything?"""

import base64

import numpy as np
import pytest

from data_pipelines import page as pages
from data_pipelines import schema
from data_pipelines.ingest import measures, packing, report
from data_pipelines.ingest.config import REASONS, Config
from data_pipelines.ingest.outcome import Outcome, Report
from data_pipelines.ingest.staging import Staged

PICTURE = base64.b64encode(
  schema.encode_picture(np.full((8, 8, 3), 90, np.uint8))
).decode()
SIGNATURES = iter(np.random.default_rng(0).integers(0, 256, (99, 80), np.uint8))


def outcome(clip_id: str, reason: str | None, **numbers: float) -> Outcome:
  signature = next(SIGNATURES).tobytes().hex()
  return Outcome(
    clip_id, 3.0, 100, reason, numbers, 'who', signature, [0.0], PICTURE
  )  # fmt: skip


def staged(key: str, *outcomes: Outcome, reason: str | None = None) -> Staged:
  found = Report(key, reason, 'in words', 60.0, outcomes=list(outcomes))
  kept = tuple(o for o in outcomes if o.reason is None)
  return Staged(found, kept, ((9, 9),) * len(kept))


@pytest.fixture(scope='module')
def text() -> str:
  videos = [
    staged('good-1', outcome('good-1-0000075-0', None, side=300.0, speech=0.9)),
    staged(
      'dark-2',
      outcome('dark-2-0000075-0', 'blur', sharpness=0.04),
      outcome('dark-2-0000175-0', 'blur', sharpness=0.07),
      outcome('dark-2-0000275-0', 'short'),
    ),
    staged('<b>-3', reason='broken file'),
  ]
  config = Config(size=256, min_speech=0.2)
  return report.page(videos, packing.make_plan(videos, config, 0.0), config)


def test_a_video_whose_clips_were_all_dropped_gave_nothing(text):
  assert '>of them without a clip</td><td>2</td>' in text
  row = text.split('>dark-2</td>')[1].split('</tr>')[0]
  assert 'clips dropped: blur 2, short 1' in row and 'min_sharpness=0' in row
  assert '>good-1</td>' not in text and '&lt;b&gt;-3' in text and '<b>' not in text


def test_pictures_say_where_they_come_from_and_what_decided(text):
  assert 'dark at 3.0 s, 4.0 s long; sharpness 0.04' in text
  assert 'good at 3.0 s, 4.0 s long<' in text


def test_figures_have_units_limits_and_counts(text):
  assert 'side of the crop in the source, px (min_scale: 0 beyond 128)' in text
  assert 'sharpness, 0 to 1 (min_sharpness: 2 beyond 0.1)' in text
  assert text.count('stroke="#c03030"') == 3  # side, speech, sharpness
  assert '--size 256, --set min_speech=0.2' in text


def test_every_reason_and_every_limit_is_explained():
  assert set(measures.NEXT) == set(REASONS)
  assert set(measures.DECIDED_BY) <= set(REASONS)
  named = {name for names in measures.DECIDED_BY.values() for name in names}
  assert named <= set(measures.MEASURES)
  config = Config()
  assert all(np.isfinite(m.at(config)) for m in measures.MEASURES.values())
  for advice in measures.NEXT.values():  # what is named can be set
    for word in advice.split():
      if '=' in word and not word.startswith('--'):
        assert hasattr(config, word.split('=')[0])


def test_a_limit_lies_where_its_value_is():
  drawing = pages.histogram('yaw', [1.0, 2.0, 3.0], bins=2, mark=5.0)
  assert f'M{pages.WIDTH - 1:.1f} 0V' in drawing and '>5</text>' in drawing
  assert 'n 3' in drawing and 'c03030' not in pages.histogram('yaw', [1.0, 2.0])
