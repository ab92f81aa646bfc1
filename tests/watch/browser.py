# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""A headless Chromium without GPU, spoken to over a pipe: no port, no driver, no library.

  browser.py PAGE [--dark] [--size WxH] [--run SCRIPT] [--shot FILE.png]
"""

import argparse
import base64
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

PROGRAM = shutil.which('chromium')
OPTIONS = ['--headless=new', '--disable-gpu', '--no-first-run', '--no-default-browser-check',
           '--disable-background-networking', '--disable-component-update', '--disable-sync',
           '--disable-extensions', '--disable-dev-shm-usage', '--remote-debugging-pipe']


class Browser:
    """Opens pages; with a `with`, it is ended with all that it started."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix='browser-', ignore_cleanup_errors=True)
        from_us, self._to = os.pipe()
        self._from, to_us = os.pipe()
        options = OPTIONS + (['--no-sandbox'] if os.geteuid() == 0 else [])
        # It reads descriptor 3 and writes 4.
        self._process = subprocess.Popen(
            ['sh', '-c', f'exec "$@" 3<&{from_us} 4>&{to_us}', 'sh', PROGRAM, *options,
             f'--user-data-dir={self._folder.name}', 'about:blank'],
            pass_fds=(from_us, to_us), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(from_us)
        os.close(to_us)
        self._rest, self._id, self.session, self.events = b'', 0, None, []

    def __enter__(self):
        return self

    def __exit__(self, *why):
        try:
            self.call('Browser.close', session=None)
        except OSError:
            self._process.kill()
        self._process.wait()
        os.close(self._to)
        os.close(self._from)
        self._folder.cleanup()

    def _message(self):
        while b'\0' not in self._rest:
            more = os.read(self._from, 1 << 20)
            if not more:
                raise OSError('the browser has ended')
            self._rest += more
        text, self._rest = self._rest.split(b'\0', 1)
        return json.loads(text)

    def call(self, method, session=True, **parameters):
        self._id += 1
        request = {'id': self._id, 'method': method, 'params': parameters}
        if session and self.session:
            request['sessionId'] = self.session
        data = json.dumps(request).encode() + b'\0'
        while data:
            data = data[os.write(self._to, data):]
        while True:
            answer = self._message()
            if answer.get('id') == self._id:
                if 'error' in answer:
                    raise OSError(f"{method}: {answer['error']['message']}")
                return answer['result']
            self.events.append(answer)

    def open(self, path, width=1600, height=900, dark=False, ready=True):
        """Opens a file; returns when the page says that it is ready."""
        target = self.call('Target.createTarget', session=False, url='about:blank')['targetId']
        self.session = self.call('Target.attachToTarget', session=False, targetId=target,
                                 flatten=True)['sessionId']
        for domain in ('Page', 'Runtime', 'Log', 'Network'):
            self.call(f'{domain}.enable')
        self.call('Emulation.setDeviceMetricsOverride', width=width, height=height,
                  deviceScaleFactor=1, mobile=False)
        self.call('Emulation.setEmulatedMedia',
                  features=[{'name': 'prefers-color-scheme', 'value': 'dark' if dark else 'light'}])
        answer = self.call('Page.navigate', url=pathlib.Path(path).resolve().as_uri())
        if 'errorText' in answer:  # it would never be ready
            raise OSError(f"{path}: {answer['errorText']}")
        while ready and not self.run('document.documentElement?.dataset.ready === "1"'):
            if self.run('document.getElementById("ending")?.textContent || ""').startswith('This page'):
                raise OSError(self.run('document.getElementById("ending").textContent'))

    def run(self, script):
        """Returns what the script, an expression or a promise, gives."""
        result = self.call('Runtime.evaluate', expression=script, returnByValue=True,
                           awaitPromise=True)
        if 'exceptionDetails' in result:
            raise OSError(json.dumps(result['exceptionDetails'])[:2000])
        return result['result'].get('value')

    def complaints(self):
        """Returns what the page threw, logged as an error, or asked the network for."""
        found = []
        for event in self.events:
            if event.get('method') == 'Runtime.exceptionThrown':
                found.append(json.dumps(event['params'])[:500])
            if event.get('method') == 'Log.entryAdded' and event['params']['entry']['level'] == 'error':
                found.append(event['params']['entry']['text'])
            if event.get('method') == 'Network.requestWillBeSent':
                url = event['params']['request']['url']
                if not url.startswith(('file:', 'about:', 'data:')):
                    found.append(url)
        return found

    def shot(self, path, full=False):
        data = self.call('Page.captureScreenshot', format='png', captureBeyondViewport=full)
        pathlib.Path(path).write_bytes(base64.b64decode(data['data']))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('page')
    parser.add_argument('--dark', action='store_true')
    parser.add_argument('--size', default='1600x900')
    parser.add_argument('--run')
    parser.add_argument('--shot')
    options = parser.parse_args()
    width, height = map(int, options.size.split('x'))
    with Browser() as browser:
        browser.open(options.page, width, height, options.dark)
        if options.run:
            print(json.dumps(browser.run(options.run)))
        if options.shot:
            browser.run('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))')
            browser.shot(options.shot)
        for complaint in browser.complaints():
            print(complaint)


if __name__ == '__main__':
    main()
