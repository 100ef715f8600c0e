"""Classify expressions."""

from __future__ import annotations

from configs.schema import Settings
from models.runtime import SHIPPED_MODEL, EmotionNetwork
from stages.classify import ClassifyStage


def with_runnable_model(settings: Settings) -> Settings:
    """The settings with a ``.keras`` model converted to ``.tflite``, which needs TensorFlow."""
    if settings.classify.model is None:
        return settings
    from models.keras_model import as_tflite  # Seldom needed, and slow to import.

    classify = settings.classify.model_copy(update={"model": as_tflite(settings.classify.model)})
    return settings.model_copy(update={"classify": classify})


def load_network(settings: Settings) -> EmotionNetwork:
    return EmotionNetwork(settings.classify.model or SHIPPED_MODEL, settings.classify.threads or 1)


def make_classifier(settings: Settings) -> ClassifyStage:
    return ClassifyStage(load_network(settings))
