from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn.data import read_csv


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("csv") / "file.csv"


FLOWERS = "length,width,species\n5.1,3.5,setosa\n7,3.2,versicolor\n\n4.9,-3e-1,setosa\n"


def test_names_of_classes_become_integers(file):
    file.write_text(FLOWERS)
    table = read_csv(file)
    x, y, features, classes = table
    np.testing.assert_array_equal(x, np.array([[5.1, 3.5], [7, 3.2], [4.9, -0.3]], np.float32))
    assert x.dtype == np.float32
    assert (y.tolist(), y.dtype) == ([0, 1, 0], np.int64)
    assert features == ("length", "width")
    assert classes == ("setosa", "versicolor")
    assert [type(name) for name in classes] == [str, str]


@pytest.mark.parametrize(
    ("text", "options", "x", "y", "features"),
    [
        ("1,2,0\n3,4,7\n", {}, [[1, 2], [3, 4]], [0, 7], ("column 1", "column 2")),
        ("a,b,c\n1,2,0\n3,4,7\n", {}, [[1, 2], [3, 4]], [0, 7], ("a", "b")),
        ("a,b,c\n1,2,0\n3,4,7\n", {"target": "a"}, [[2, 0], [4, 7]], [1, 3], ("b", "c")),
        ("a,b,c\n1,2,0\n3,4,7\n", {"target": 1}, [[1, 0], [3, 7]], [2, 4], ("a", "c")),
        ("1,2,0\n3,4,7\n", {"target": -3}, [[2, 0], [4, 7]], [1, 3], ("column 2", "column 3")),
        ("1,2,0\n3,4,7\n", {"header": True}, [[3, 4]], [7], ("1", "2")),
        ("1,2,0\n3,4,7\n", {"target": "2"}, [[3, 7]], [4], ("1", "0")),
        ("1;2\r\n3;4\r\n", {"delimiter": ";"}, [[1], [3]], [2, 4], ("column 1",)),
        ("\ufeffa, b\n 1 , 2 \n", {"target": "a"}, [[2]], [1], ("b",)),
        ('a,b\n 1, "2"', {}, [[1]], [2], ("a",)),
        ('"a, long",b\n1,"2"', {}, [[1]], [2], ("a, long",)),
        ("1,x\n3,y\n", {"header": False}, [[1], [3]], [0, 1], ("column 1",)),
    ],
)
def test_headers_targets_and_dialects(file, text, options, x, y, features):
    file.write_text(text, encoding="utf-8", newline="")
    table = read_csv(file, **options)
    assert table.inputs.tolist() == x
    assert table.targets.tolist() == y
    assert table.targets.dtype == np.int64
    assert table.features == features


def test_other_numbers_are_what_a_regression_learns(file):
    file.write_text("1,2\n3,4.5\n")
    table = read_csv(str(file))
    assert table.targets.dtype == np.float32
    assert table.targets.tolist() == [[2], [4.5]]
    assert table.classes == ()


@given(
    rows=st.lists(
        st.tuples(st.floats(width=32, allow_nan=False, allow_infinity=False), st.integers(-(2**40), 2**40)),
        min_size=1,
        max_size=8,
    )
)
def test_numbers_are_read_back(file, rows):
    with open(file, "w", newline="") as out:
        csv.writer(out).writerows(rows)
    table = read_csv(file)
    assert table.inputs.tolist() == [[x] for x, _ in rows]
    assert table.targets.tolist() == [y for _, y in rows]


@given(content=st.one_of(st.binary(max_size=40), st.text(alphabet='0123,;.\n"ab \0\r_', max_size=40).map(str.encode)))
def test_bytes_of_any_kind_are_a_table_or_refused(file, content):
    file.write_bytes(content)
    try:
        table = read_csv(file)
    except ValueError as error:
        assert "file.csv'" in str(error)  # noqa: PT017
    else:
        assert np.isfinite(table.inputs).all()
        assert len(table.inputs) == len(table.targets) > 0


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("a,b\n1,2\n\n3\n", {}, r"line 4: every line has as many cells as the first, 2; received 1"),
        ("a,b,c\n1,?,2\n", {}, r"line 2, column 2 \('b'\): features are finite float32 numbers; received '\?'"),
        ("1,2\n,3\n", {}, r"line 2, column 1: .*received ''"),
        ("1,2\nnan,3\n", {}, r"line 2, column 1: .*received 'nan'"),
        ("1,2\n1e39,3\n", {}, r"line 2, column 1: .*received '1e39'"),
        ("1,2\n1_000,3\n", {}, r"received '1_000'"),
        ("a,b,c\n5,1,2\n5,1,x\n", {"target": 0}, r"line 3, column 3 \('c'\)"),
        ("1,x,2\n3,4,5\n", {}, r"line 1, column 2: .*received 'x'"),
        ("1,2\n3,x\n", {}, r"line 2, column 2: targets are .*received 'x'"),
        ("1,a\n3,\n", {}, r"line 2, column 2: targets are .*received ''"),
        ("1,1.5\n3,inf\n", {}, r"line 2, column 2: targets are .*received 'inf'"),
        ("a;b\n1;2\n", {}, r"has one column, with delimiter=','.*'a;b'.*delimiter=';'"),
        ("", {}, "has no lines"),
        ("\n \n", {}, "has no lines"),
        ("a,b\n", {}, "a header and no samples"),
        ("a,b\n1,2\n", {"target": "c"}, r"received 'c', header=None. The first line is 'a', 'b'"),
        ("a,a\n1,2\n", {"target": "a"}, r"that name once; received 'a'"),
        ("1,2\n", {"target": "1", "header": False}, "header=False"),
        ("a,b\n1,2\n", {"target": 2}, "received 2"),
        ("a,b\n1,2\n", {"target": True}, "received True"),
        ('a,b\n1,"2\n', {}, r"about line 2: no CSV"),
        ('a,b\n1,"2"3\n', {}, r"about line 2: no CSV"),
    ],
)
def test_errors_name_line_and_column(file, text, options, words):
    file.write_text(text)
    with pytest.raises(ValueError, match=words) as caught:
        read_csv(file, **options)
    assert "file.csv'" in str(caught.value)


def test_a_file_in_another_encoding_is_refused(file):
    file.write_bytes("größe,b\n1,2\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"about line \d: no CSV in UTF-8"):
        read_csv(file)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"delimiter": ";;"}, ValueError, "delimiter is the one character.*received ';;'"),
        ({"delimiter": ""}, ValueError, "delimiter is the one character"),
        ({"delimiter": "\n"}, ValueError, "delimiter is the one character"),
        ({"delimiter": 3}, ValueError, "delimiter is the one character.*received 3"),
        ({"header": "yes"}, TypeError, "header is True or False; received 'yes'"),
    ],
)
def test_wrong_options_are_errors(file, options, error, words):
    file.write_text(FLOWERS, encoding="utf-8")
    with pytest.raises(error, match=words):
        read_csv(file, **options)
