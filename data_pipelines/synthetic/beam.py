"""The corpus on many machines: `python -m data_pipelines.synthetic.beam`.

    python -m data_pipelines.synthetic.beam --clips 1000000 --size 256 \
      --out gs://BUCKET/corpus -- --runner=DataflowRunner --project=... --region=...

An Apache Beam pipeline over the function that `synthesize` runs on one machine: the
same recipe gives the same shards, byte for byte. What follows `--` goes to Beam, whose
runners (Dataflow, Flink, Spark, or several processes here) take this package from
`--setup_file` or a container. A shard that exists is not rendered again, so that a
pipeline that failed is simply started again. Needs the extra `[beam]`.
"""

import argparse
import os
import pathlib
import sys
import tempfile

from data_pipelines import builder
from data_pipelines.beam_command import check_address, options_of, parted
from data_pipelines.command import run_command
from data_pipelines.synthetic import synthesize
from data_pipelines.synthetic.clips import render_clip
from data_pipelines.synthetic.recipe import Recipe, claim


def render_shard(number: int, recipe: Recipe, out: str) -> builder.ShardInfo:
  """Renders one shard to `out`, unless it is there.

  The file is written here, then copied under another name and renamed, so that a
  machine that is taken away in the middle leaves nothing that looks finished.

  Args:
    number: of the shard, below `recipe.shards`.
    recipe: of the corpus.
    out: folder, anything that Beam's file systems open.
  """
  from apache_beam.io.filesystems import FileSystems

  name = builder.shard_path('', recipe.split, number, recipe.shards).name
  target = FileSystems.join(out, name)
  if not FileSystems.exists(target):
    serialize = builder.serializer()
    records = [serialize(render_clip(index, recipe)) for index in recipe.shard(number)]
    with tempfile.TemporaryDirectory(prefix='shard') as folder:
      here = pathlib.Path(folder, name)
      builder.write_shard(here, records)
      part = f'{target}.{os.getpid()}.part'
      with FileSystems.create(part, 'application/octet-stream') as file:
        file.write(here.read_bytes())
    FileSystems.rename([part], [target])
  size = FileSystems.match([target])[0].metadata_list[0].size_in_bytes
  return builder.ShardInfo(recipe.split, number, len(recipe.shard(number)), size)


def pipeline(root, recipe: Recipe, out: str):
  """The pipeline: a shard is one element, the catalogue comes after all of them.

  Args:
    root: an `apache_beam.Pipeline`.
    recipe: of the corpus.
    out: its folder.
  """
  import apache_beam as beam

  return (
    root
    | 'shards' >> beam.Create(range(recipe.shards))
    | 'apart' >> beam.Reshuffle()  # without it one worker would take them all
    | 'render' >> beam.Map(render_shard, recipe, out)
    | 'gather' >> beam.combiners.ToList()
    | 'catalogue' >> beam.Map(lambda shards: builder.write_catalogue(out, shards))
  )


def main(arguments: list[str] | None = None) -> int:
  ours, beams = parted(sys.argv[1:] if arguments is None else arguments)
  parser = argparse.ArgumentParser(
    prog='python -m data_pipelines.synthetic.beam', description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )  # fmt: skip
  synthesize.add_recipe_arguments(parser)
  args = parser.parse_args(ours)

  def work() -> None:
    check_address(args.out)
    options = options_of(beams)
    import apache_beam as beam

    recipe = synthesize.recipe_of(args)
    claim(args.out, recipe)
    with beam.Pipeline(options=options) as root:
      pipeline(root, recipe, args.out)
    print(f'{args.out}: {recipe.clips} clips in {recipe.shards} shards')

  return run_command('beam', work, args.debug)


if __name__ == '__main__':
  # Under its own name: what other machines unpickle must not be `__main__`'s.
  from data_pipelines.synthetic.beam import main as imported

  sys.exit(imported())
