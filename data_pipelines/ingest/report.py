"""report.html of a corpus of real videos: what was kept, what was not, and why."""

import base64
import collections
import html
import os
import pathlib
from collections.abc import Iterable, Sequence

from data_pipelines.errors import UserError
from data_pipelines.ingest.config import REASONS
from data_pipelines.ingest.outcome import Outcome
from data_pipelines.ingest.packing import Plan
from data_pipelines.ingest.staging import Staged
from data_pipelines.page import document, histogram
from data_pipelines.schema import FPS

_MOST = 16  # pictures of a reason
_FILES = 500  # lines of files that gave nothing
_NUMBERS = {
  'side': 'side of the crop in the source, px',
  'rate': 'pictures a second',
  'outside': 'share of the crop outside the picture',
  'others': 'share of looks with another face',
  'speech': 'share of speech',
  'sharpness': 'sharpness',
  'visible': 'share of frames with trusted labels',
  'yaw': 'yaw, degrees (95 % of the frames)',
  'pitch': 'pitch, degrees (95 %)',
  'roll': 'roll, degrees (95 %)',
  'mouth': 'mouth opening, standard deviation',
  'alike': 'least cosine of identity within the clip',
}


def write(path: pathlib.Path, videos: Sequence[Staged], plan: Plan) -> None:
  """Writes the page, whole or not at all.

  Raises:
    UserError: it cannot be written.
  """
  part = path.with_name(path.name + '.part')
  try:
    part.write_text(page(videos, plan))
    os.replace(part, path)
  except OSError as error:
    part.unlink(missing_ok=True)
    raise UserError(f'cannot write {path}: {error.strerror or error}') from error


def final(videos: Sequence[Staged], plan: Plan) -> Iterable[tuple[Outcome, str | None]]:
  """Yields every stretch with its final reason."""
  for v, video in enumerate(videos):
    record = 0
    for outcome in video.report.outcomes:
      reason = outcome.reason
      if reason is None and video.report.reason is not None:
        reason = video.report.reason
      elif reason is None:
        reason = plan.late.get((v, record))
        record += 1
      yield outcome, reason


def page(videos: Sequence[Staged], plan: Plan) -> str:
  """The page as text."""
  outcomes = list(final(videos, plan))
  return document(
    'Real video: what was kept, and why the rest was not',
    [
      _totals(videos, outcomes, plan),
      '<h2>Clips</h2>', _reasons(outcomes),
      '<h2>Files that gave nothing</h2>', _files(videos),
      '<h2>Kept and dropped</h2>', *_pictures(outcomes),
      '<h2>Measured</h2><p>Blue: of all clips that came so far, dropped ones too.</p>',
      *_histograms(outcomes, videos, plan),
    ],
  )  # fmt: skip


def _table(rows: Iterable[Sequence[object]], head: Sequence[str] = ()) -> str:
  text = ''.join(f'<th>{html.escape(h)}</th>' for h in head)
  text = f'<tr>{text}</tr>' if text else ''
  for row in rows:
    cells = ''.join(f'<td>{html.escape(str(cell))}</td>' for cell in row)
    text += f'<tr>{cells}</tr>'
  return f'<table>{text}</table>'


def _hours(seconds: float) -> str:
  return f'{seconds / 3600:.2f} h' if seconds >= 3600 else f'{seconds / 60:.2f} min'


def _totals(videos, outcomes, plan: Plan) -> str:
  reports = [video.report for video in videos]
  kept = [o for o, reason in outcomes if reason is None]
  return _table([
    ('videos', len(videos)),
    ('of them without a clip', sum(r.reason is not None for r in reports)),
    ('length of the videos', _hours(sum(r.seconds for r in reports))),
    ('without a face', _hours(sum(r.faceless for r in reports))),
    ('with a crowd', _hours(sum(r.crowded for r in reports))),
    ('clips kept', len(kept)),
    ('length of the clips', _hours(sum(o.frames for o in kept) / FPS)),
    ('people', len({o.identity for o in kept})),
    ('pictures lost to damage', sum(r.lost for r in reports)),
    *((f'shards of {split}', count) for split, count in sorted(plan.totals.items())),
  ])  # fmt: skip


def _reasons(outcomes) -> str:
  count, length = collections.Counter(), collections.Counter()
  for outcome, reason in outcomes:
    count[reason or 'kept'] += 1
    length[reason or 'kept'] += outcome.frames / FPS
  rows = [
    (name, REASONS.get(name, 'passed everything'), count[name], _hours(length[name]))
    for name in ('kept', *REASONS)
    if count[name]
  ]
  return _table(rows, ('reason', 'what it means', 'clips', 'length'))


def _files(videos) -> str:
  bad = [v.report for v in videos if v.report.reason is not None]
  rows = [(r.key, r.reason, r.note) for r in bad[:_FILES]]
  more = f'<p>and {len(bad) - _FILES} more</p>' if len(bad) > _FILES else ''
  return (_table(rows, ('file', 'reason', 'in words')) if bad else '<p>none</p>') + more


def _pictures(outcomes) -> Iterable[str]:
  shown: dict[str, list[Outcome]] = {}
  for outcome, reason in outcomes:
    here = shown.setdefault(reason or 'kept', [])
    if outcome.picture and len(here) < _MOST:
      here.append(outcome)
  for name in ('kept', *REASONS):
    if shown.get(name):
      images = ''.join(
        f'<img alt="{html.escape(o.clip_id)}" title="{html.escape(_words(o))}" '
        f'src="data:image/jpeg;base64,{_checked(o.picture)}"> '
        for o in shown[name]
      )
      yield f'<h3>{html.escape(name)}</h3><p>{images}</p>'


def _checked(text: str) -> str:
  """Base64 text, or none: a report is a file that anybody may have written."""
  return base64.b64encode(base64.b64decode(text)).decode()


def _words(outcome: Outcome) -> str:
  numbers = ', '.join(f'{name} {value:g}' for name, value in outcome.numbers.items())
  return f'{outcome.clip_id}, {outcome.frames / FPS:.1f} s; {numbers}'


def _histograms(outcomes, videos, plan: Plan) -> Iterable[str]:
  kept = [o for o, reason in outcomes if reason is None]
  yield histogram('seconds of a kept clip', [o.frames / FPS for o in kept])
  for name, title in _NUMBERS.items():
    yield histogram(title, [o.numbers[name] for o, _ in outcomes if name in o.numbers])
  offsets = [
    o.frames for o, v in zip(plan.offsets, videos, strict=True) if o.clear and v.kept
  ]
  yield histogram('frames by which the sound is late, where that is clear', offsets)
