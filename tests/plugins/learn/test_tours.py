"""The tour goes through all plugins, and every place of it is there."""

from layerwise import Lesson
from layerwise.registry import Registry
from layerwise_learn.tours import TOURS


def test_every_place_of_a_tour_is_registered():
    snapshot = Registry().snapshot()
    lessons = {item.name for item in snapshot.lessons if isinstance(item, Lesson)}
    for tour in TOURS:
        for stage in tour.stages:
            assert stage.lesson is None or stage.lesson in lessons, stage
            assert stage.page is None or stage.page in snapshot.pages, stage
            assert stage.model is None or stage.model in snapshot.models, stage
            assert stage.train is None or snapshot.models[stage.train].is_trainable, stage


def test_the_first_one_takes_the_ten_minutes_that_it_promises():
    first = TOURS[0]
    assert sum(stage.minutes for stage in first.stages) == 10
    assert len({(stage.model or "").partition("/")[0] for stage in first.stages if stage.model}) == 5, "five plugins"
