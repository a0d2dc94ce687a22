"""The pages in a real browser: by keyboard alone, light and dark, narrow and wide, from right to left.

Needs Chromium with its driver (apt-get install chromium chromium-driver) and selenium; skipped without.
"""

import shutil
import time

import pytest
from conftest import ROOT
from invoking import TINY, invoke
from serving import Served
from test_annotate import QUICK, SAMPLE, corrected

from rnntag.cli.report import main as report
from rnntag.cli.train_rnn import main as train_rnn

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="no Chromium with its driver on this system")

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update")
ARABIC = ("\u0643\u062a\u0628_VERB \u0627\u0644\u0648\u0644\u062f_NOUN "
          "\u0627\u0644\u062f\u0631\u0633_NOUN 25_NUM ._PUNCT\n")


class Page:
    """A page in Chromium."""

    def __init__(self, folder):
        from selenium.webdriver.chrome.options import Options
        from selenium.webdriver.chrome.service import Service
        options = Options()
        options.binary_location = CHROMIUM
        for flag in (*FLAGS, f"--user-data-dir={folder}"):
            options.add_argument(flag)
        self.driver = webdriver.Chrome(options=options, service=Service(DRIVER))

    def open(self, url, width=1_400, dark=False):
        """Load a page anew."""
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
        self.driver.get("about:blank")
        self.driver.get_log("browser")  # those of pages before
        self.driver.get(url)

    def run(self, script):
        return self.driver.execute_script(f"return {script}")

    def until(self, script, seconds=20):
        deadline = time.monotonic() + seconds
        while not (value := self.run(script)):
            assert time.monotonic() < deadline, (script, self.run("document.body.innerText"))
            time.sleep(0.05)
        return value

    def press(self, *keys):
        """Keys, one after the other, to whatever has the focus; ctrl+z is a chord."""
        from selenium.webdriver import ActionChains
        from selenium.webdriver.common.keys import Keys
        for key in keys:
            actions = ActionChains(self.driver)
            if key.startswith("ctrl+"):
                actions.key_down(Keys.CONTROL).send_keys(key[5:]).key_up(Keys.CONTROL).perform()
            else:
                actions.send_keys(getattr(Keys, key, key)).perform()

    def words(self):
        return self.run("[...document.querySelectorAll('.token .word')].map(e => e.textContent)")

    def tags(self):
        return self.run("[...document.querySelectorAll('.token .value')].map(e => e.textContent)")

    def fits(self):
        """Is nothing cut off at the sides?"""
        return self.run("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    made = Page(tmp_path_factory.mktemp("profile"))
    yield made
    made.driver.quit()


@pytest.fixture
def annotating(tmp_path):
    """annotating(bytes): a server of a corpus."""
    servers = []

    def annotating(data=SAMPLE, *more):
        (tmp_path / "c.wordtag").write_bytes(data)
        servers.append(Served(tmp_path, "annotate", "c.wordtag", *QUICK, *more))
        servers[-1].until(lambda now: now["learner"] == "idle" and (now["generation"] or now["problem"]))
        return servers[-1]
    yield annotating
    for server in servers:
        server.__exit__()


def place(page):
    return page.run("document.getElementById('place').textContent")


def test_twenty_corrections_by_keyboard_alone_change_just_these(page, annotating, tmp_path):
    server = annotating()
    page.open(server.url)
    page.until("document.querySelectorAll('.token').length")
    changes = {}
    for number in range(20):
        page.until(f"document.getElementById('place').textContent.startsWith('Sentence {number + 1} of')")
        if number % 2:
            page.press("ARROW_RIGHT")
        page.press("Q", "q", "ENTER")  # a tag that the corpus lacks
        changes[number, number % 2] = "Qq"
        page.press("ENTER")
    page.until("document.getElementById('place').textContent.startsWith('Sentence 21 of')")
    assert (tmp_path / "c.wordtag").read_bytes() == corrected(SAMPLE, changes)
    assert server.ask("/api/status")["changed"] == 20
    for number in range(20, 10, -1):  # and half of it back
        page.press("ctrl+z")
        page.until(f"document.getElementById('place').textContent.startsWith('Sentence {number} of')")
        del changes[number - 1, (number - 1) % 2]
    page.until("document.getElementById('status').textContent == 'Taken back.'")
    assert (tmp_path / "c.wordtag").read_bytes() == corrected(SAMPLE, changes)


def test_the_keys_move_choose_search_and_undo(page, annotating):
    page.open(annotating().url)
    page.until("document.querySelectorAll('.choice').length > 1")
    current = "[...document.querySelectorAll('.token')].findIndex(e => e.ariaCurrent == 'true')"
    assert page.run(current) == 0
    before, count = page.tags(), len(page.words())
    page.press("ARROW_RIGHT", "ARROW_RIGHT", "ARROW_LEFT")
    assert page.run(current) == 1
    page.press("END")
    assert page.run(current) == count - 1
    page.press("ARROW_RIGHT", "HOME", " ")
    assert page.run("document.querySelector('.token[aria-current=true] .doubtful')")  # the tiny tagger is never sure
    page.press("HOME", "2")
    chosen = page.tags()[0]
    assert chosen != before[0] and page.run("document.querySelector('.value.changed') != null")
    page.press("V", "B")
    assert page.run("document.getElementById('search').value") == "VB"
    assert page.run("document.querySelector('[aria-selected=true] .value').textContent") == "VB"
    page.press("ESCAPE", "ctrl+z")
    assert page.tags() == before and page.run("document.querySelector('.value.changed')") is None
    page.press("PAGE_DOWN")
    page.until("document.getElementById('place').textContent.startsWith('Sentence 2 of')")
    page.press("F1")
    assert page.run("document.getElementById('keys').open")
    page.press("ESCAPE")
    assert not page.run("document.getElementById('keys').open")


@pytest.mark.parametrize("width", [420, 1_400])
@pytest.mark.parametrize("dark", [False, True])
def test_nothing_is_cut_off_and_the_scheme_is_the_readers(page, annotating, width, dark):
    page.open(annotating().url, width, dark)
    page.until("document.querySelectorAll('.choice').length")
    assert page.fits()
    colour = page.run("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)")
    assert (sum(colour) < 200) == dark
    assert [entry for entry in page.driver.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_text_from_right_to_left_is_shown_and_walked_through_so(page, annotating):
    page.open(annotating(ARABIC.encode() * 12).url)
    page.until("document.querySelectorAll('.token').length == 5")
    assert page.run("document.querySelectorAll('.token[aria-current=true]').length") == 1
    left = page.run("[...document.querySelectorAll('.token')].map(e => e.getBoundingClientRect().left)")
    assert left == sorted(left, reverse=True) and page.run("document.getElementById('tokens').dir") == "rtl"
    page.press("ARROW_LEFT")
    assert page.run("document.querySelectorAll('.token')[1].ariaCurrent") == "true"


@pytest.mark.parametrize("width", [420, 1_400])
def test_in_a_sentence_of_200_words_the_chosen_one_is_in_sight(page, annotating, width):
    long = " ".join(f"word{i}_NN" for i in range(200)) + "\n"
    page.open(annotating(long.encode() + b"a_DT b_NN\n" * 12).url, width)
    page.until("document.querySelectorAll('.token').length == 200")
    for key in ("END", "ARROW_LEFT", "HOME", "END"):
        page.press(key)
        box = page.run("(() => { const at = name => document.querySelector(name).getBoundingClientRect();"
                       "const b = at('.token[aria-current=true]'), top = at('header').bottom - 1;"
                       "return [b.top >= top, b.bottom <= innerHeight, b.left >= 0, b.right <= innerWidth]; })()")
        assert box == [True] * 4
    assert page.fits()


def test_a_file_that_changed_is_said_and_read_again(page, annotating, tmp_path):
    page.open(annotating().url)
    page.until("document.querySelectorAll('.token').length")
    (tmp_path / "c.wordtag").write_bytes(b"other_NN text_NN\n" + SAMPLE)
    page.press("ENTER")
    page.until("!document.getElementById('banner').hidden")
    page.run("document.getElementById('reload').click()")
    page.until("document.querySelector('.token .word').textContent == 'other'")
    assert (tmp_path / "c.wordtag").read_bytes() == b"other_NN text_NN\n" + SAMPLE


def test_a_line_can_be_named_in_the_address(page, annotating):
    page.open(annotating().url + "#line=7")
    page.until("document.getElementById('place').textContent.includes('line 7')")


@pytest.mark.parametrize("token", [(), ("--token", "abcdefgh12")])
def test_text_can_be_tried(page, tmp_path, token):
    invoke(train_rnn, ROOT / "data" / "sample-test.wordtag", tmp_path / "m", *TINY, "-q")
    with Served(tmp_path, "serve", "m", *token) as server:
        page.open(server.url, 420)
        page.until("document.querySelectorAll('#answer .token').length == 11")
        assert page.fits() and "token" not in page.run("location.href")
        page.run("document.getElementById('text').value = 'One two .'")
        page.press("ctrl+" + "\ue007")
        page.until("document.querySelectorAll('#answer .token').length == 3")


def test_the_report_has_all_in_sight_at_1200_pixels(page, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib", reason="the extra plot is not installed")
    monkeypatch.chdir(tmp_path)
    for name, tag in (("ref", "NN"), ("one", "VB"), ("another-answer-with-a-long-name", "NNS")):
        tags = " ".join([tag, *(f"TAG{k % 17}{'x' * (tag == 'VB' and k < 9)}" for k in range(40))])
        (tmp_path / name).write_text(f"{tags}\n" * 20)
    invoke(report, "ref", "one", "another-answer-with-a-long-name", "-o", "r.html")
    page.open((tmp_path / "r.html").as_uri(), 1_200)
    assert page.fits() and page.run("document.querySelectorAll('nav a').length") >= 4
    wide = page.run("[...document.querySelectorAll('figure, .wide')].filter("
                    "e => e.scrollWidth > e.clientWidth).length")
    full = page.run("[...document.querySelectorAll('svg')].map(e => e.clientWidth / e.closest('main').clientWidth)")
    assert wide == 0 and full and min(full) > 0.98
    page.open((tmp_path / "r.html").as_uri(), 420)
    assert page.fits()
