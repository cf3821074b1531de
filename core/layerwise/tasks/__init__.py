"""The task types that more than one plugin could use, one file each."""

from typing import TYPE_CHECKING

from layerwise import deprecations
from layerwise.tasks.base import Answer, Task
from layerwise.tasks.board_game import BoardGame
from layerwise.tasks.classification import Classification
from layerwise.tasks.columns import Column
from layerwise.tasks.control import Control
from layerwise.tasks.conversation import Conversation
from layerwise.tasks.ctc_speech_recognition import CtcSpeechRecognition
from layerwise.tasks.depth_estimation import DepthEstimation
from layerwise.tasks.dialogue import Dialogue
from layerwise.tasks.embedding import Embedding
from layerwise.tasks.fields import Field
from layerwise.tasks.generation import Generation
from layerwise.tasks.image_classification import ImageClassification
from layerwise.tasks.image_segmentation import ImageSegmentation
from layerwise.tasks.molecule_property import MoleculeProperty
from layerwise.tasks.object_detection import ObjectDetection
from layerwise.tasks.sequence_classification import SequenceClassification
from layerwise.tasks.sequence_labelling import SequenceLabelling
from layerwise.tasks.speech_recognition import SpeechRecognition
from layerwise.tasks.tabular import Tabular, TabularClassification
from layerwise.tasks.tabular_regression import TabularRegression
from layerwise.tasks.text_classification import TextClassification
from layerwise.tasks.text_generation import TextGeneration
from layerwise.tasks.translation import Translation
from layerwise.tasks.zero_shot_image_classification import ZeroShotImageClassification

__all__ = [
    "Answer",
    "BoardGame",
    "Classification",
    "Column",
    "Control",
    "Conversation",
    "CtcSpeechRecognition",
    "DepthEstimation",
    "Dialogue",
    "Embedding",
    "Field",
    "Generation",
    "ImageClassification",
    "ImageSegmentation",
    "MoleculeProperty",
    "ObjectDetection",
    "SequenceClassification",
    "SequenceLabelling",
    "SpeechRecognition",
    "Tabular",
    "TabularClassification",
    "TabularRegression",
    "Task",
    "TextClassification",
    "TextGeneration",
    "Translation",
    "ZeroShotImageClassification",
]

deprecations.keep_former_arguments(globals())
if not TYPE_CHECKING:  # a type checker would take every name for one that is there
    __getattr__ = deprecations.former_names(__name__)
