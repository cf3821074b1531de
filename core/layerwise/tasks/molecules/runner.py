"""The runner of networks for molecules: one with all that is known of it, or a file of thousands."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.errors import InputError
from layerwise.runner import NetworkRunner, last_answer
from layerwise.serving.batching import LARGEST_BATCH
from layerwise.tasks.molecules import answers, drawing
from layerwise.tasks.molecules.attribution import without_each_atom
from layerwise.tasks.molecules.batches import Results, read_file
from layerwise.tasks.molecules.neighbours import TrainingMolecules
from layerwise.tasks.molecules.standardise import read_molecule

if TYPE_CHECKING:
    from layerwise.tasks.base import Answer
    from layerwise.tasks.molecule_property import MoleculeProperty
    from layerwise.tasks.molecules.standardise import Molecule

NUM_SIMILAR = 6
SIMILAR_SIZE = (240, 240)
AT_ONCE = 256
"""How many molecules of a file are read before they are predicted."""


class MoleculeRunner(NetworkRunner):
    """Answers for a molecule, or for each of a file."""

    joins = False
    task: MoleculeProperty

    @functools.cached_property
    def training(self) -> TrainingMolecules | None:
        """The molecules that the version was trained on."""
        return None if self.task.molecules is None else TrainingMolecules.of(self.task.molecules)

    def warm(self) -> None:
        super().warm()
        _ = self.training

    def run(self, inputs: Mapping[str, Any], session: str | None, cancelled: threading.Event) -> Any:
        if inputs.get("file") is not None:
            return self._all_of(inputs["file"], cancelled)
        if not str(inputs.get("smiles") or "").strip():
            raise InputError("There is no molecule", expected="a SMILES, or a file of molecules")
        return self._one(self.task.molecule(inputs), inputs.get("coloured"))

    def run_batch(self, batch: Sequence[Mapping[str, Any]]) -> list[Answer]:
        return [last_answer(self.run(inputs, None, threading.Event())) for inputs in batch]

    def outputs(self, batch: Any) -> np.ndarray:
        """What the network gives for encoded examples, or for an array of SMILES [molecules]."""
        if isinstance(batch, Mapping):
            return super().outputs(batch)
        return self._given([read_molecule(text).mol for text in batch])

    def _given(self, mols: Sequence[Any]) -> np.ndarray:
        """What the network gives for molecules, those of about the same size together."""
        order = sorted(range(len(mols)), key=lambda place: mols[place].GetNumAtoms())
        found: dict[int, np.ndarray] = {}
        for start in range(0, len(order), LARGEST_BATCH):
            places = order[start : start + LARGEST_BATCH]
            chosen = [mols[place] for place in places]
            given = super().outputs(self.task.encode_mols(chosen, _rounded_up(chosen[-1].GetNumAtoms())))
            found.update(zip(places, given, strict=True))
        return np.stack([found[place] for place in range(len(mols))])

    def _one(self, molecule: Molecule, coloured: str | None) -> Answer:
        task = self.task
        outputs = self._given([molecule.mol, *without_each_atom(molecule.mol)])
        predicted = task.predicted(outputs[:1])
        rows = answers.rows_of(task, predicted, 0)
        target = task.targets.index(coloured) if coloured in task.targets else int(predicted.values[0].argmax())
        # What the ensemble expects, before it is turned into a unit or a probability.
        expected = (outputs[..., 0] if task.kind == "number" else outputs).mean(axis=1)[:, target]
        weights = expected[0] - expected[1:]
        answer: Answer = {
            "answer": answers.sentence(task, rows),
            "values": rows,
            "picture": drawing.draw(molecule.mol, weights=weights),
            "colours": self._colours(molecule, weights, task.targets[target]),
            "canonical": molecule.smiles,
        }
        if molecule.notes:
            answer["notes"] = " ".join(molecule.notes)
        return answer | self._compared(molecule)

    def _colours(self, molecule: Molecule, weights: np.ndarray, target: str) -> str:
        said = drawing.explained_weights(weights, drawing.atom_names(molecule.mol))
        return (
            f"Teal raises {target}, orange lowers it: by how much the answer changes when the atom is taken for none. "
            f"{said[0].upper()}{said[1:]}."
        )

    def _compared(self, molecule: Molecule) -> Answer:
        if self.training is None or not self.training.smiles:
            return {}
        from rdkit import Chem

        nearest = self.training.nearest(molecule.mol, NUM_SIMILAR)
        return {
            "domain": answers.domain_sentence(self.task, molecule, nearest[0].similarity),
            "similar": [
                {
                    "label": "similar molecule",
                    "caption": answers.caption(self.task, found),
                    "image": drawing.draw(Chem.MolFromSmiles(found.smiles), SIMILAR_SIZE),
                }
                for found in nearest
            ],
        }

    def _all_of(self, file: Any, cancelled: threading.Event) -> Iterator[Answer]:
        """The molecules of a file, a few hundred at a time: what is known so far, and at last all of it."""
        rows = read_file(file)
        results = Results(self.task, rows)
        for start in range(0, len(rows), AT_ONCE):
            if cancelled.is_set():
                return
            self._add(results, start, min(start + AT_ONCE, len(rows)))
            if results.num_done < len(rows):
                yield {"answer": results.progress, "values": results.first_rows}
        yield {"answer": results.summary, "values": results.first_rows, "results": results.as_file()}

    def _add(self, results: Results, start: int, stop: int) -> None:
        found: dict[int, Molecule] = {}
        for place in range(start, stop):
            try:
                found[place] = self.task.checked(read_molecule(results.rows.smiles[place]))
            except InputError as error:
                results.add_error(place, error)
        if found:
            predicted = self.task.predicted(self._given([molecule.mol for molecule in found.values()]))
            for number, (place, molecule) in enumerate(found.items()):
                nearest = self.training.nearest_similarity(molecule.mol) if self.training else None
                results.add(place, molecule, predicted, number, nearest)
        results.num_done = stop


def _rounded_up(atoms: int) -> int:
    """A multiple of 16, so that few different sizes are ever compiled."""
    return -(-atoms // 16) * 16
