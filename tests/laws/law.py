"""How laws are tried: the same examples in every run, and none remembered from the last."""

from hypothesis import HealthCheck, Phase, settings

LAW = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow],
)
# For laws of whole logs: making a log smaller takes minutes, and a drawn one is small.
UNSHRUNK = settings(LAW, phases=[Phase.explicit, Phase.generate], max_examples=25)
# For planted bugs: being caught is enough, the smallest example is of no interest.
PLANTED = settings(UNSHRUNK, max_examples=400)
