"""The task types that more than one plugin could use, one file each."""

from layerwise.tasks.base import Answer, Field, Task
from layerwise.tasks.board_game import BoardGame
from layerwise.tasks.classification import Classification
from layerwise.tasks.columns import Column
from layerwise.tasks.control import Control
from layerwise.tasks.conversation import Conversation
from layerwise.tasks.ctc_speech_recognition import CtcSpeechRecognition
from layerwise.tasks.dialogue import Dialogue
from layerwise.tasks.generation import Generation
from layerwise.tasks.image_classification import ImageClassification
from layerwise.tasks.image_segmentation import ImageSegmentation
from layerwise.tasks.object_detection import ObjectDetection
from layerwise.tasks.speech_recognition import SpeechRecognition
from layerwise.tasks.tabular import Tabular, TabularClassification
from layerwise.tasks.tabular_regression import TabularRegression
from layerwise.tasks.text_classification import TextClassification
from layerwise.tasks.text_generation import TextGeneration
from layerwise.tasks.translation import Translation

__all__ = [
    "Answer",
    "BoardGame",
    "Classification",
    "Column",
    "Control",
    "Conversation",
    "CtcSpeechRecognition",
    "Dialogue",
    "Field",
    "Generation",
    "ImageClassification",
    "ImageSegmentation",
    "ObjectDetection",
    "SpeechRecognition",
    "Tabular",
    "TabularClassification",
    "TabularRegression",
    "Task",
    "TextClassification",
    "TextGeneration",
    "Translation",
]
