#!/bin/sh
# The pictures of step.md and README.md, drawn into the folder named as the first argument.
set -eu
out=$1

step() {
    cnnviz step "$@" -q --overwrite
}

step --gif "$out/step.gif"
step --input "50 52 49; 51 200 53; 48 49 52" -k laplacian_8 --figure "$out/step.block.png"
step --size 5x5 -k "1 0; 0 1" -k "1 0; 1 1" -k "1 0; 0 0" --then "relu maxpool" \
    --linear "1 -1 0 2 0 1 -1 0 3 0 -2 1" --linear-bias 5 --figure "$out/step.pipeline.png"
step --visits --size 5x5 -k 3x3 --figure "$out/step.visits.png"
step --reach 3 -k 3x3 -d 2 --figure "$out/step.reach.png"
step --visits --transposed --size 3x3 -k 3x3 -s 2 --figure "$out/step.transposed.png"
step --shift 1 --input "0 0 0 0 0 0; 0 9 9 0 0 0; 0 9 9 0 0 0; 0 0 0 0 5 0; 0 0 0 0 0 0; 0 0 0 0 0 0" \
    -k "1 1; 1 1" --then maxpool:s1 --figure "$out/step.shift.png"
step samples/digit_7.png -k sobel_x --position 7,8 --figure "$out/step.digit.png"
