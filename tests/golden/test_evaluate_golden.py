"""The published figures by the command, on the published files.

Provenance: `shared/reference/scores` and `shared/facts/metrics.md`; the digits are those that the command prints.
"""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from glottis.cli import program

SCORES = Path(__file__).resolve().parents[3] / "shared" / "reference" / "scores"
LA = SCORES / "asvspoof2019_LA"
pytestmark = pytest.mark.skipif(not LA.is_dir(), reason="the published scores of ../shared are not here")


def test_rawgat_st_mul_on_asvspoof_2019_la(tmp_path):
    result = CliRunner().invoke(
        program,
        [
            *("evaluate", str(LA / "RawGAT_ST_mul.eval.scores.txt.gz")),
            *("--protocol", str(LA / "ASVspoof2019.LA.cm.eval.trl.txt.gz")),
            *("--asv", str(LA / "ASVspoof2019.LA.asv.eval.gi.trl.scores.txt.gz")),
            *("--by", "attack", "--resamples", "5", "--json", str(tmp_path / "all.json")),
        ],
    )
    assert result.exit_code == 0, result.stderr
    printed = {" ".join(line.split()[:-4]): line for line in result.stdout.splitlines() if " to " in line}
    assert "1.060135" in printed["EER, challenge mode, %"]
    assert "0.033539" in printed["min t-DCF, form of 2019"]
    assert "0.094168" in printed["min t-DCF, form of 2021"]
    (system,) = json.loads((tmp_path / "all.json").read_text())["systems"]
    assert system["asv"]["miss"] == pytest.approx(0.024581005586592177, abs=1e-15)
    assert system["asv"]["false_alarm"] == pytest.approx(0.024604674888228765, abs=1e-15)
    assert system["asv"]["spoof_false_alarm"] == pytest.approx(0.7606524529601453, abs=1e-15)
    by_attack = {part["value"]: part for part in system["parts"]["attack"]}
    assert by_attack["A17"]["eer"] == pytest.approx(0.017452072312711335, abs=1e-15)
    assert by_attack["A17"]["min_tdcf"] == pytest.approx(0.2283622579555116, abs=1e-12)


def test_the_asvspoof_5_fusion_demo():
    table = SCORES / "asvspoof5_fusion_demo" / "dev_scores_label.csv.gz"
    result = CliRunner().invoke(program, ["evaluate", str(table)])
    assert result.exit_code == 0, result.stderr
    printed = dict(line.split()[:2] for line in result.stdout.splitlines()[1:])
    assert printed["a_dcf"] == "0.156670"
    assert printed["t_eer"] == "1.989699"
    assert printed["min_tdcf"] == "0.102424"
    assert printed["eer"] == "0.619732"
