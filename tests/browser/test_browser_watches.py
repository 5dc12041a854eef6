"""The watching itself: a page that speaks, asks or runs something is noticed."""

from __future__ import annotations


def test_the_console_a_request_and_a_dialog_are_noticed(shared_browser, tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<!doctype html><p>quiet")
    shared_browser.open(page)
    assert (shared_browser.console(), shared_browser.requests(), shared_browser.dialog()) == ([], [], None)
    page.write_text('<!doctype html><script>console.error("loud")</script><img src="http://127.0.0.1:9/pixel.png">')
    shared_browser.open(page)
    shared_browser.run("return new Promise((resolve) => setTimeout(resolve, 200))")
    assert shared_browser.requests() == ["http://127.0.0.1:9/pixel.png"]
    assert any("loud" in message for message in shared_browser.console())
    page.write_text("<!doctype html><script>setTimeout(() => alert('here'), 10)</script>")
    shared_browser.open(page)
    for _ in range(100):
        if shared_browser.dialog() is not None:
            break
    assert shared_browser.dialog() == "here"
    shared_browser.driver.switch_to.alert.accept()


def test_the_policy_of_a_page_stops_scripts_that_are_not_its_own(shared_browser, tmp_path):
    import autodiff as ad

    page = tmp_path / "page.html"
    page.write_text(ad.steps(ad.Tensor(2.0) * 3).html.replace("<main", "<script>self.ran = true</script><main"))
    shared_browser.open(page)
    assert shared_browser.run("return self.ran") is None
    assert any("Content Security Policy" in message for message in shared_browser.console())
    assert shared_browser.run("return document.querySelectorAll('#trace tr').length") == 2
