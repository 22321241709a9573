//! What the programs are told to do with the pairs that they are given.

pub(crate) const RPM: &str = r"%{lua:
    for line in io.lines() do
        local left, right = line:match('^(.-)\t(.*)$')
        io.write(rpm.vercmp(left, right), '\n')
    end
}";

pub(crate) const PYTHON: &str = r"
import sys
from packaging.version import InvalidVersion, Version
for line in sys.stdin:
    left, right = line.rstrip('\n').split('\t')
    try:
        left, right = Version(left), Version(right)
        print((left > right) - (left < right))
    except InvalidVersion:
        print('?')
";

pub(crate) const NODE: &str = r"
const path = require('path');
const places = ['semver', '/usr/share/nodejs/semver'].concat(['lib', '../lib'].map(
    lib => path.join(path.dirname(process.execPath), lib, 'node_modules/npm/node_modules/semver')));
const place = places.find(place => { try { require.resolve(place); return true; } catch { return false; } });
if (!place) { console.error('there is no semver package'); process.exit(1); }
const semver = require(place);
for (const line of require('fs').readFileSync(0, 'utf8').split('\n').slice(0, -1)) {
    const [left, right] = line.split('\t');
    console.log(semver.valid(left) && semver.valid(right) ? semver.compare(left, right) : '?');
}
";

pub(crate) const RUBY: &str = r"
STDIN.each_line do |line|
  left, right = line.chomp.split(%(\t), 2)
  known = Gem::Version.correct?(left) && Gem::Version.correct?(right)
  puts known ? Gem::Version.new(left) <=> Gem::Version.new(right) : '?'
end
";

pub(crate) const PHP: &str = r#"
$autoload = '/usr/share/php/Composer/Semver/autoload.php';
if (!file_exists($autoload)) { fwrite(STDERR, "there is no composer/semver\n"); exit(1); }
require $autoload;
$parser = new Composer\Semver\VersionParser();
while (($line = fgets(STDIN)) !== false) {
    [$left, $right] = explode("\t", rtrim($line, "\n"));
    try {
        echo version_compare($parser->normalize($left), $parser->normalize($right)), "\n";
    } catch (UnexpectedValueException $refused) {
        echo "?\n";
    }
}
"#;
