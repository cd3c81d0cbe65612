"""report.html of a corpus of real videos: what was kept, what was not, and why."""

import base64
import collections
import dataclasses
import html
import os
import pathlib
from collections.abc import Iterable, Sequence

from data_pipelines.errors import UserError
from data_pipelines.ingest.config import REASONS, Config
from data_pipelines.ingest.measures import DECIDED_BY, MEASURES, NEXT
from data_pipelines.ingest.outcome import Outcome
from data_pipelines.ingest.packing import Plan
from data_pipelines.ingest.staging import Staged
from data_pipelines.page import document, histogram
from data_pipelines.schema import FPS

_MOST = 16  # pictures of a reason
_FILES = 500  # lines of videos that gave nothing


def write(
  path: pathlib.Path, videos: Sequence[Staged], plan: Plan, config: Config
) -> None:
  """Writes the page, whole or not at all.

  Raises:
    UserError: it cannot be written.
  """
  part = path.with_name(path.name + '.part')
  try:
    part.write_text(page(videos, plan, config))
    os.replace(part, path)
  except OSError as error:
    part.unlink(missing_ok=True)
    raise UserError(f'cannot write {path}: {error.strerror or error}') from error


def final(videos: Sequence[Staged], plan: Plan) -> Iterable[tuple[Outcome, str | None]]:
  """Yields every stretch with its final reason."""
  for v, video in enumerate(videos):
    yield from final_of(v, video, plan)


def final_of(v: int, video: Staged, plan: Plan) -> Iterable[tuple[Outcome, str | None]]:
  """Yields every stretch of video number `v` with its final reason."""
  record = 0
  for outcome in video.report.outcomes:
    reason = outcome.reason
    if reason is None and video.report.reason is not None:
      reason = video.report.reason
    elif reason is None:
      reason = plan.late.get((v, record))
      record += 1
    yield outcome, reason


def page(videos: Sequence[Staged], plan: Plan, config: Config) -> str:
  """The page as text.

  Args:
    videos: all of the corpus.
    plan: of `packing.make_plan`.
    config: sizes and thresholds that they were read with.
  """
  outcomes = list(final(videos, plan))
  return document(
    'Real video: what was kept, and why the rest was not',
    [
      _totals(videos, outcomes, plan),
      f'<p>Made with {html.escape(_settings(config))}.</p>',
      '<h2>Clips: stretches of one person in one shot</h2>', _reasons(outcomes),
      '<p>To change a threshold, give the command again with another --out: a corpus '
      'keeps the settings it was begun with.</p>',
      '<h2>Videos that gave nothing</h2>', _files(videos, plan),
      '<h2>Kept and dropped, up to two pictures of a video</h2>',
      '<p>The middle frame as it is cropped; what lies outside the video is mirrored. '
      'More numbers under the mouse.</p>', *_pictures(outcomes),
      '<h2>Measured</h2><p>Of all clips that got so far, dropped ones too; filters run '
      'in the order of the figures. Red: the limit. The number is the height of the '
      'tallest bar, in clips.</p>',
      *_histograms(outcomes, videos, plan, config),
    ],
  )  # fmt: skip


def _settings(config: Config) -> str:
  """The config in words: the size, and what is not as it is by default."""
  plain = dataclasses.asdict(Config())
  changed = [
    f'{name}={value:g}'
    for name, value in dataclasses.asdict(config).items()
    if name != 'size' and value != plain[name]
  ]
  others = f'--set {" ".join(changed)}' if changed else 'all thresholds as they come'
  return f'--size {config.size}, {others}'


def _table(rows: Iterable[Sequence[object]], head: Sequence[str] = ()) -> str:
  text = ''.join(f'<th>{html.escape(h)}</th>' for h in head)
  text = f'<tr>{text}</tr>' if text else ''
  for row in rows:
    cells = ''.join(
      f'<td{_class_of(cell)}>{html.escape(str(cell))}</td>' for cell in row
    )
    text += f'<tr>{cells}</tr>'
  return f'<table>{text}</table>'


def _class_of(cell: object) -> str:
  """Words stand at the left, numbers at the right."""
  words = isinstance(cell, str) and not cell[:1].isdigit()
  return ' class="words"' if words else ''


def _hours(seconds: float) -> str:
  if seconds < 100:
    return f'{seconds:.1f} s'
  return f'{seconds / 3600:.2f} h' if seconds >= 3600 else f'{seconds / 60:.1f} min'


def _totals(videos, outcomes, plan: Plan) -> str:
  reports = [video.report for video in videos]
  kept = [o for o, reason in outcomes if reason is None]
  length = sum(o.frames for o in kept) / FPS
  whole = sum(r.seconds for r in reports)
  return _table([
    ('videos', len(videos)),
    ('of them without a clip', len(_empty(videos, plan))),
    ('length of the videos', _hours(whole)),
    ('without a face', _hours(sum(r.faceless for r in reports))),
    ('with a crowd', _hours(sum(r.crowded for r in reports))),
    ('clips kept', len(kept)),
    ('length of the clips', _hours(length)),
    ('share of the videos', f'{length / max(whole, 1e-9):.0%}'),
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
    (name, REASONS.get(name, 'passed everything'), count[name], _hours(length[name]),
     NEXT.get(name, ''))
    for name in ('kept', *REASONS)
    if count[name]
  ]  # fmt: skip
  head = ('reason', 'what it means', 'clips', 'length', 'what can be done')
  return _table(rows, head)


def _empty(videos: Sequence[Staged], plan: Plan) -> list[int]:
  """Indices of the videos of which the corpus has no clip."""
  there = {place.video for places in plan.shards.values() for place in places}
  return [v for v in range(len(videos)) if v not in there]


def _files(videos: Sequence[Staged], plan: Plan) -> str:
  """The videos without a clip: why, and what can be done."""
  bad = _empty(videos, plan)
  rows = []
  for v in bad[:_FILES]:
    report = videos[v].report
    if report.reason is not None:
      why, words, next_ = report.reason, report.note, NEXT.get(report.reason, '')
    else:
      reasons = [reason for _, reason in final_of(v, videos[v], plan)]
      counted = collections.Counter(reasons).most_common()
      why, next_ = counted[0][0], NEXT.get(counted[0][0], '')
      words = 'clips dropped: ' + ', '.join(f'{name} {n}' for name, n in counted)
    rows.append((report.key, _hours(report.seconds), why, words, next_))
  more = f'<p>and {len(bad) - _FILES} more</p>' if len(bad) > _FILES else ''
  head = ('video', 'length', 'reason', 'in words', 'what can be done')
  return (_table(rows, head) if bad else '<p>none</p>') + more


def _pictures(outcomes) -> Iterable[str]:
  shown: dict[str, list[Outcome]] = {}
  for outcome, reason in outcomes:
    here = shown.setdefault(reason or 'kept', [])
    if outcome.picture and len(here) < _MOST:
      here.append(outcome)
  for name in ('kept', *REASONS):
    if shown.get(name):
      images = ''.join(
        f'<figure class="small"><img alt="{html.escape(o.clip_id)}" '
        f'title="{html.escape(_words(o))}" '
        f'src="data:image/jpeg;base64,{_checked(o.picture)}">'
        f'<figcaption>{html.escape(_short(o, name))}</figcaption></figure>'
        for o in shown[name]
      )
      yield f'<h3>{html.escape(name)}</h3><div>{images}</div>'


def _checked(text: str) -> str:
  """Base64 text, or none: a report is a file that anybody may have written."""
  return base64.b64encode(base64.b64decode(text)).decode()


def _words(outcome: Outcome) -> str:
  numbers = ', '.join(f'{name} {value:g}' for name, value in outcome.numbers.items())
  return f'{outcome.clip_id}, {outcome.frames / FPS:.1f} s; {numbers}'


def _short(outcome: Outcome, reason: str) -> str:
  """The video, where in it, how long, and the number that decided."""
  video = outcome.clip_id.rsplit('-', 3)[0]
  at = f'{video} at {outcome.start:.1f} s, {outcome.frames / FPS:.1f} s long'
  numbers = [
    f'{name} {outcome.numbers[name]:g}'
    for name in DECIDED_BY.get(reason, ())
    if name in outcome.numbers
  ]
  return '; '.join([at, *numbers])


def _histograms(outcomes, videos, plan: Plan, config: Config) -> Iterable[str]:
  kept = [o for o, reason in outcomes if reason is None]
  yield histogram('length of a kept clip, s', [o.frames / FPS for o in kept])
  for name, measure in MEASURES.items():
    values = [o.numbers[name] for o, _ in outcomes if name in o.numbers]
    limit = measure.at(config)
    beyond = sum(v < limit if measure.least else v > limit for v in values)
    title = f'{measure.title} ({measure.limit}: {beyond} beyond {limit:g})'
    yield histogram(title, values, mark=limit)
  offsets = [
    o.frames for o, v in zip(plan.offsets, videos, strict=True) if o.clear and v.kept
  ]
  yield histogram('frames by which the sound is late, where that is clear', offsets)
