"""What a reader should know of each model of molecules."""

from __future__ import annotations

from pathlib import Path

from layerwise import ModelCard

MOLECULENET = "https://arxiv.org/abs/1703.00564"
ENSEMBLES = "https://arxiv.org/abs/1612.01474"
PICTURES = Path(__file__).parents[1] / "pictures"
_HOW = (
    "Two ensembles, each in one network: **dense** counts circular groups of atoms (Morgan's fingerprint) "
    "and takes about 110 descriptors that RDKit computes; **graph** passes messages along the bonds of the molecule, "
    "with weights of their own for each kind of bond. "
)
_TESTED = (
    "Trained, validated and tested on molecules with different scaffolds (80, 10 and 10 %, as DeepChem divides them), "
    "so that the test asks about sorts of molecules that the network has not seen. Settings were chosen on the "
    "validation molecules alone. "
)
_INTERVALS = (
    "Each member of the ensemble gives a mean and a variance; the interval is as wide as it must be for 90 % of the "
    "validation molecules to lie within theirs. "
)
_ATOMS = (
    "The colours say by how much the answer changes when an atom is taken for none (Sheridan 2019). Molecules are "
    "standardised first: the largest organic part of a salt, without charges that hydrogens can balance."
)
_LIMITS = (
    "It knows molecules of pharmacy like those that it was trained on, and says how like them yours is; for others, "
    "for metals, polymers and mixtures the answer is a guess. It sees no conformation, no tautomer and no crystal. It "
    "is no basis for a decision about health or safety. "
)


def _measured(metric: str, dense: str, graph: str, forest: str) -> str:
    """What `python benchmarks/molecules.py` printed, in a sentence."""
    return (
        f" {metric} on the test molecules, mean and deviation of three seeds (`python benchmarks/molecules.py`): dense "
        f"{dense}, graph {graph}, a random forest that is given what the dense network is {forest}."
    )


SOLUBILITY_CARD = ModelCard(
    title="Solubility in water",
    summary="How much of a molecule dissolves in water, with a 90 % interval and what each atom adds.",
    invitation="See which parts of aspirin help it to dissolve",
    description=(
        "The logarithm of the molar solubility: 0 is one mole in a litre, −3 a thousandth of it. "
        + _HOW
        + "Data: ESOL (Delaney 2004), 1,128 molecules. "
        + _TESTED
        + _INTERVALS
        + _ATOMS
        + _measured("RMSE", "0.799 ± 0.004", "0.919 ± 0.021", "1.072 ± 0.009")
        + " Of the test molecules 94 % (dense) and 90 % (graph) lie within their intervals."
        + " Published for the same sort of split: RMSE 0.885 for a graph convolution and 1.741 for a random forest on "
        "fingerprints (MoleculeNet's README)."
    ),
    limits=_LIMITS + "Most molecules of ESOL are small; salts, acids and bases at another pH dissolve otherwise.",
    sources=("https://doi.org/10.1021/ci034243x", MOLECULENET, ENSEMBLES),
    picture=PICTURES / "solubility.png",
)
LIPOPHILICITY_CARD = ModelCard(
    title="Lipophilicity",
    summary="Whether a molecule prefers oil or water, with a 90 % interval and what each atom adds.",
    description=(
        "The logarithm of the ratio of its concentrations in octanol and in water at pH 7.4: above 0 it prefers "
        "octanol. "
        + _HOW
        + "Data: 4,200 molecules of pharmacy that AstraZeneca measured and gave to ChEMBL. "
        + _TESTED
        + _INTERVALS
        + _ATOMS
        + _measured("RMSE", "0.754 ± 0.002", "0.726 ± 0.005", "0.811 ± 0.003")
        + " Of the test molecules 91 % (dense) and 90 % (graph) lie within their intervals."
    ),
    limits=_LIMITS + "Measurements lie between −1.5 and 4.5; nothing beyond that was ever seen.",
    sources=("https://doi.org/10.6019/CHEMBL3301361", MOLECULENET, ENSEMBLES),
    picture=PICTURES / "lipophilicity.png",
)
BLOOD_BRAIN_CARD = ModelCard(
    title="Blood-brain barrier",
    summary="Whether a molecule gets from the blood into the brain, how sure the network is, and what each atom adds.",
    description=(
        _HOW + "Data: BBBP (Martins et al. 2012), 2,039 molecules that RDKit can read, three quarters of which get "
        "through. " + _TESTED + "The probability is the mean of the members of the ensemble, and how far they are "
        "apart is shown. "
        + _ATOMS
        + _measured("ROC-AUC", "0.726 ± 0.002", "0.728 ± 0.006", "0.755 ± 0.006")
        + " Published for the same sort of split: 0.676 for a graph convolution "
        "and 0.719 for a random forest (MoleculeNet's README)."
    ),
    limits=_LIMITS + "The labels come from many papers and count transport by the body's own carriers as little as "
    "they know of it: glucose and dopamine are special cases. Most molecules of the data get through, so it says yes "
    "too often.",
    sources=("https://doi.org/10.1021/ci300124c", MOLECULENET, ENSEMBLES),
    picture=PICTURES / "blood-brain.png",
)
TOXICITY_CARD = ModelCard(
    title="Toxicity in twelve assays",
    summary="Which of twelve signals of stress or of hormones a molecule sets off in a cell.",
    description=(
        "Twelve assays of the Tox21 challenge of 2014: seven of nuclear receptors (NR: androgen, aryl hydrocarbon, "
        "aromatase, oestrogen, PPAR-gamma) and five of stress responses (SR: ARE, ATAD5, heat shock, mitochondria, "
        "p53). "
        + _HOW
        + "Data: 7,818 molecules, of which not each was tried in every assay; what nobody measured does "
        "not count. "
        + _TESTED
        + "The probability is the mean of the members of the ensemble. "
        + _ATOMS
        + _measured("ROC-AUC, the mean of the assays,", "0.740 ± 0.005", "0.743 ± 0.002", "0.772 ± 0.001")
    ),
    limits=_LIMITS + "An assay is a cell in a dish, not a person, and says nothing of dose. Few molecules are active, "
    "from 3 to 16 % of an assay, so even the most probable are mostly inactive. Twelve answers are no verdict that "
    "something is harmless.",
    sources=("https://tripod.nih.gov/tox21/challenge/", "https://doi.org/10.3389/fenvs.2015.00085", MOLECULENET),
    picture=PICTURES / "toxicity.png",
)
