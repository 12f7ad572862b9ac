"""Options that several commands take: the program's own, and those of every command that drives a run."""

import click

#: Decorators that steps get which lack them; the program's option and the run's.
WITH = click.Option(
    ["--with", "late"],
    multiple=True,
    metavar="NAME[:K=V,…]",
    help="Give steps that lack it a decorator: --with kubernetes, --with kubernetes:cpu=4,memory=8000.",
)

OVERRIDE = click.Option(
    ["--override", "overrides"],
    multiple=True,
    metavar="[STEP:]K=V,…",
    help="Settings of pods that win over all that is written: --override memory=8000, --override train:cpu=2.",
)


def top_options() -> list[click.Parameter]:
    """The program's own options."""
    return [
        click.Option(["--quiet/--not-quiet"], default=False, help="Only what tasks print, and errors."),
        click.Option(["--datastore"], metavar="KIND", help="Where data goes: local, s3, azure or gs."),
        click.Option(["--datastore-root"], metavar="URL", help="The root of that datastore."),
        click.Option(
            ["--package-suffixes"], metavar="LIST", help="Suffixes of files that ship, besides .py and R's."
        ),
        click.Option(
            ["--package-max-size"], metavar="SIZE", help="Size above which the code package is refused."
        ),
        click.Option(
            ["--environment"],
            type=click.Choice(["local", "pypi", "conda", "uv"]),
            help="Taken for the sake of scripts: @pypi needs no option.",
        ),
        click.Option(
            ["--force-rebuild-environments/--no-force-rebuild-environments", "packages_anew"],
            default=False,
            help="Resolve the packages of @pypi again, which may find newer ones.",
        ),
        click.Option(["--config-name"], metavar="NAME", help="A named configuration: config_NAME.json."),
        click.Option(
            ["--local-config-file"],
            # One that is not there is an error, also where nothing asks for what is in it.
            type=click.Path(exists=True, dir_okay=False, readable=True),
            hidden=True,
            help="Values of configurations that were read before: --config-value NAME kv.NAME.",
        ),
        WITH,
        OVERRIDE,
    ]


def launch_options() -> list[click.Parameter]:
    """What every command takes that drives a run."""
    return [
        WITH,
        OVERRIDE,
        click.Option(["--tag", "tags"], multiple=True, help="A tag for the run; may be repeated."),
        click.Option(
            ["--max-workers"],
            type=int,
            metavar="N",
            help="Tasks at a time, here and in the cluster each [default: 16; 200 pods].",
        ),
        click.Option(
            ["--max-num-splits"], type=int, default=100, show_default=True, help="Tasks of one foreach."
        ),
        click.Option(
            ["--max-log-size"], type=int, default=10, show_default=True, help="MB of log kept per task."
        ),
        click.Option(
            ["--forward-credentials"],
            is_flag=True,
            help="Lend pods this machine's own access to the datastore, in a Secret that goes with the run.",
        ),
        click.Option(["--run-id-file"], metavar="FILE", help="Write the run's id to this file."),
        click.Option(
            ["--runner-attribute-file"],
            metavar="FILE",
            help="Write the run's id, flow and place to this file, as JSON.",
        ),
    ]
