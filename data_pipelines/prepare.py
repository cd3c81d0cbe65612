"""Raw videos to records: `python -m data_pipelines.prepare VIDEOS --out RECORDS`.

Not in this version: it says so and exits with 2. Training records come from
`data_pipelines.synthetic.synthesize`.
"""

import argparse
import sys

from data_pipelines.errors import UsageError


def main(arguments: list[str] | None = None) -> int:
  parser = argparse.ArgumentParser(
    prog='python -m data_pipelines.prepare', description=__doc__
  )
  parser.add_argument('inputs', nargs='+', help='videos or folders of videos')
  parser.add_argument('--out', required=True, help='folder of the records')
  parser.add_argument('--workers', type=int, default=1, help='processes')
  parser.parse_args(arguments)
  try:
    raise UsageError(
      'real video cannot be read in this version; '
      'render a corpus: python -m data_pipelines.synthetic.synthesize --help'
    )
  except UsageError as error:
    print(f'prepare: {error}', file=sys.stderr)
    return 2


if __name__ == '__main__':
  sys.exit(main())
