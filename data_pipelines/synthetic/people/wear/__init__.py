"""Things worn beside clothes; `dress` is what the sampler of people calls."""

from data_pipelines.synthetic.people.wear.dress import dress

__all__ = ['dress']
