#!/bin/sh
# The three commands on the samples; results go into the folder named as the first argument.
set -eu
out=$1

show() {
    printf '\n$ %s\n' "$*"
    "$@"
}

show cnnviz filter samples/coffee.png --kernel sobel_x -o "$out/" --overwrite
show cnnviz shape 300x400 -k3 -p1 -s2
show cnnviz featuremaps --model lenet samples/scan_3.jpg -o "$out/scan_3.lenet/" --overwrite

cat <<END

The results are in $out/:
  coffee.sobel_x.png        vertical edges of samples/coffee.png
  scan_3.lenet/             what each layer of LeNet-5 makes of samples/scan_3.jpg
The command is .venv/bin/cnnviz; README.md says how to install it for use.
END
