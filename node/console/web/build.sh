#!/bin/sh
# Builds ../static from the npm packages of package-lock.json: one style sheet, two scripts, the fonts. Nothing of it is committed.
set -eu
cd "$(dirname "$0")"
npm ci --ignore-scripts --omit=optional --no-audit --no-fund --loglevel=error
made=../static.new
rm -rf "$made"
mkdir "$made"
node_modules/.bin/sass --no-source-map --style=compressed --quiet-deps --load-path=node_modules console.scss "$made/console.css"
cp console.js icon.svg node_modules/govuk-frontend/dist/govuk/govuk-frontend.min.js "$made/"
sed -i.bak '/^\/\/# sourceMappingURL=/d' "$made/govuk-frontend.min.js"
rm "$made/govuk-frontend.min.js.bak"
for subset in noto-sans-latin noto-sans-latin-ext noto-sans-vietnamese noto-sans-khmer-khmer noto-sans-lao-lao noto-sans-myanmar-myanmar noto-sans-thai-thai; do
  for weight in 400 700; do
    cp node_modules/@fontsource/*/files/"$subset-$weight-normal.woff2" "$made/"
  done
done
cp node_modules/@fontsource/noto-sans/LICENSE "$made/OFL.txt"
rm -rf ../static
mv "$made" ../static
rm -rf node_modules
