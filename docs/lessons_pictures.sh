#!/bin/sh
# Draws the pictures of docs/lessons again: sh docs/lessons_pictures.sh, in the checkout.
set -eu
pictures=$(pwd)/docs/pictures
samples=$(pwd)/samples
work=$(mktemp -d)
cd "$work"
cnnviz filter "$samples/digit_7.png" --kernel sobel_x --overwrite --figure "$pictures/lesson.digit.sobel_x.png" --lang en
cnnviz filter "$samples/four_by_four.png" --kernel laplacian_8 --channels mean --border zeros \
  --overwrite --figure "$pictures/lesson.four_by_four.png" --lang en
cnnviz pool "$samples/digit_7.png" --mode max -k2 --overwrite --figure "$pictures/lesson.digit.maxpool.png"
for weights in epoch0 trained; do
  cnnviz featuremaps "$samples/ankle_boot.png" --model fashion_cnn --weights $weights \
    --layers relu2 --tile 112 -o $weights
  mv $weights/04_relu2.png "$pictures/lesson.$weights.relu2.png"
done
rm -r "$work"
