"""``--help`` as the command line's library prints it, for terminals of 80 columns and of 110 and more.

Without the flow's own words. tests/unit/cli/test_quick.py writes this file.
"""

USAGE = "[OPTIONS] [COMMAND] [ARGS]..."

PAGES = {
    78: """\
Options:
  --quiet / --not-quiet           Only what tasks print, and errors.
  --datastore KIND                Where data goes: local, s3, azure or gs.
  --datastore-root URL            The root of that datastore.
  --package-suffixes LIST         Suffixes of files that ship, besides .py and
                                  R's.
  --package-max-size SIZE         Size above which the code package is
                                  refused.
  --environment [local|pypi|conda|uv]
                                  Taken for the sake of scripts: @pypi needs
                                  no option.
  --force-rebuild-environments / --no-force-rebuild-environments
                                  Resolve the packages of @pypi again, which
                                  may find newer ones.
  --config-name NAME              A named configuration: config_NAME.json.
  --with NAME[:K=V,…]             Give steps that lack it a decorator: --with
                                  kubernetes, --with
                                  kubernetes:cpu=4,memory=8000.
  --override [STEP:]K=V,…         Settings of pods that win over all that is
                                  written: --override memory=8000, --override
                                  train:cpu=2.
  -h, --help                      Show this message and exit.

Commands:
  attach       Drive a run on whose launcher died, with the pods that it...
  check        Check the flow without running anything.
  config       Show the settings, and where each comes from.
  doctor       Say what a run of this flow needs, whether it is there,...
  dump         Show the artifacts of tasks.
  help         Show this.
  kubernetes   Show or end the flow's pods, tidy up after them.
  logs         Show what tasks printed and why they failed: logs [show]...
  output-dot   Print the graph for graphviz (DOT).
  output-raw   Print the graph as Headway sees it.
  output-svg   Draw the graph as a picture (SVG), to a file or to...
  output-text  Draw the graph as text.
  package      Show or save the code that ships to pods.
  resume       Run again what an earlier run has not done, or all from...
  run          Run the flow.
  show         Show the flow's steps and what they do.
  spin         Do one task of an earlier run again, here and alone, with...
  tag          Give tags to runs, take them away, list them.
  version      Show Headway's version.""",
    108: """\
Options:
  --quiet / --not-quiet           Only what tasks print, and errors.
  --datastore KIND                Where data goes: local, s3, azure or gs.
  --datastore-root URL            The root of that datastore.
  --package-suffixes LIST         Suffixes of files that ship, besides .py and R's.
  --package-max-size SIZE         Size above which the code package is refused.
  --environment [local|pypi|conda|uv]
                                  Taken for the sake of scripts: @pypi needs no option.
  --force-rebuild-environments / --no-force-rebuild-environments
                                  Resolve the packages of @pypi again, which may find newer ones.
  --config-name NAME              A named configuration: config_NAME.json.
  --with NAME[:K=V,…]             Give steps that lack it a decorator: --with kubernetes, --with
                                  kubernetes:cpu=4,memory=8000.
  --override [STEP:]K=V,…         Settings of pods that win over all that is written: --override
                                  memory=8000, --override train:cpu=2.
  -h, --help                      Show this message and exit.

Commands:
  attach       Drive a run on whose launcher died, with the pods that it has [default: the newest from...
  check        Check the flow without running anything.
  config       Show the settings, and where each comes from.
  doctor       Say what a run of this flow needs, whether it is there, and what to do where it is not.
  dump         Show the artifacts of tasks.
  help         Show this.
  kubernetes   Show or end the flow's pods, tidy up after them.
  logs         Show what tasks printed and why they failed: logs [show] RUN[/STEP[/TASK]]; or scrub it.
  output-dot   Print the graph for graphviz (DOT).
  output-raw   Print the graph as Headway sees it.
  output-svg   Draw the graph as a picture (SVG), to a file or to standard output.
  output-text  Draw the graph as text.
  package      Show or save the code that ships to pods.
  resume       Run again what an earlier run has not done, or all from STEP on; the rest is taken over.
  run          Run the flow.
  show         Show the flow's steps and what they do.
  spin         Do one task of an earlier run again, here and alone, with your code as it is now.
  tag          Give tags to runs, take them away, list them.
  version      Show Headway's version.""",
}
