#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Long runs. Rounds: all samples and conformance drivers with four processors, in machines of ten rounds, each with its own
seed, order and flavour. Stress: the in-kernel stress test, each machine with its own seed; memory: the same with one kind of memory
operations at a time, so that they meet each other all the time. Mutants: kernels with one mistake
each, which these tests must find (test/mutants). Ends with 'N passed, N failed'; what fails is told with its seed and the one
command that runs it again.
usage: soak.py [--rounds N] [--stress SECONDS] [--memory SECONDS] [--attack SECONDS] [--samples SECONDS] [--each SECONDS] [--seed FIRST] [--smp N] [--mutants] NTBOX BUILD"""
import argparse
import os
import random
import shlex
import subprocess
import sys
import time

from everything import IN_ORDER, SAMPLES, all_groups, words
from runs import Tally, Wrong, expect, expect_all_passed, finish, report

ROUNDS_OF_MACHINE = 10
MEMORY = ('pool', 'physical', 'cache', 'space', 'section')  # what stress-only= chooses
MARGIN = 300  # seconds that a machine may need beyond what it is asked to


def run(command, limit):
    """Raises Wrong with the command that shows the failure again."""
    ntbox, *arguments = command
    try:
        _, document = report(ntbox, *arguments, '--timeout', str(limit), limit=limit + 60)
        expect_all_passed(document)
    except Wrong as wrong:
        raise Wrong(f'{wrong}\n  again: {shlex.join([*command, "--timeout", str(limit)])}') from None


def rounds_command(options, machine, rounds):
    seed = options.seed + machine
    groups = all_groups(options.build, ('mingw', 'msvc')[machine % 2])
    random.Random(seed).shuffle(groups)
    return [options.ntbox, 'run', '--smp', str(options.smp), '--seed', str(seed), '--rounds', str(rounds), *words(groups)]


def stress_command(options, seed, seconds, only=''):
    return [options.ntbox, 'run', '--smp', str(options.smp), '--seed', str(seed), '--append', f'stress={seconds}{only}',
            os.path.join(options.build, 'drivers_sample/msvc/hello.sys')]


def soak_rounds(options, tally):
    done = machine = 0
    while done < options.rounds:
        rounds = min(ROUNDS_OF_MACHINE, options.rounds - done)
        command = rounds_command(options, machine, rounds)
        tally.run(f'rounds {done + 1} to {done + rounds}, seed {options.seed + machine}', run, command, MARGIN + 60 * rounds)
        done, machine = done + rounds, machine + 1


def soak_stress(options, tally):
    seed, left = options.seed, options.stress
    while left > 0:
        seconds = min(options.each, left)
        tally.run(f'stress of {seconds} s, seed {seed}', run, stress_command(options, seed, seconds), seconds + MARGIN)
        seed, left = seed + 1, left - seconds


def soak_memory(options, tally):
    """Each kind for so many seconds, half a minute for one seed."""
    for kind in MEMORY:
        seed, left = options.seed, options.memory
        while left > 0:
            seconds = min(30, left)
            command = stress_command(options, seed, seconds, f' stress-only={kind}')
            tally.run(f'stress of memory, {kind}, {seconds} s, seed {seed}', run, command, seconds + MARGIN)
            seed, left = seed + 1, left - seconds


def soak_attack(options, tally):
    """Two processes call the services for user mode with whatever comes."""
    seed, left = options.seed, options.attack
    while left > 0:
        seconds = min(30, left)
        command = [*stress_command(options, seed, seconds, ' stress-only=attack'), '--memory', '512M', '--log',
                   os.path.join(options.build, f'attack-{seed}.log')]  # who waited for what, if it hangs
        tally.run(f'attack of {seconds} s, seed {seed}', run, command, seconds + MARGIN)
        seed, left = seed + 1, left - seconds


def samples_command(options, flavour, seed, seconds):
    """The samples are services, loaded before the attack and unloaded after it; whatever is left behind is told then."""
    command = stress_command(options, seed, seconds, ' stress-only=samples')[:-1]
    names = [name for name in IN_ORDER if name != 'hello']
    for name in names:
        command += ['--service', f'{name}/start={"auto" if SAMPLES[name]["needs"] else "system"}']
    return command + [os.path.join(options.build, 'drivers_sample', flavour, name + '.sys') for name in names]


def soak_samples(options, tally):
    """A client attacks the devices of the samples."""
    seed, left = options.seed, options.samples
    while left > 0:
        seconds, flavour = min(30, left), ('mingw', 'msvc')[seed % 2]
        command = samples_command(options, flavour, seed, seconds)
        tally.run(f'attack on the samples ({flavour}) of {seconds} s, seed {seed}', run, command, seconds + MARGIN)
        seed, left = seed + 1, left - seconds


def soak_mutants(options):
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../mutants/run_mutants.py')
    done = subprocess.run([sys.executable, script, options.ntbox, options.build], check=False)
    expect(done.returncode == 0, 'see above')


def main():
    parser = argparse.ArgumentParser(description='Long runs of the samples, the conformance drivers and the stress test.')
    parser.add_argument('--rounds', type=int, default=100, help='of all drivers (100)')
    parser.add_argument('--stress', type=int, default=600, help='seconds of stress in all (600)')
    parser.add_argument('--memory', type=int, default=180, help='seconds of stress of each kind of memory operations (180)')
    parser.add_argument('--attack', type=int, default=600, help='seconds of attacks on the services for user mode (600)')
    parser.add_argument('--samples', type=int, default=600, help='seconds of attacks on the devices of the samples (600)')
    parser.add_argument('--each', type=int, default=6, help='seconds of stress for one seed (6: a hundred seeds)')
    parser.add_argument('--seed', type=int, default=1, help='the first seed (1)')
    parser.add_argument('--smp', type=int, default=4, help='processors (4)')
    parser.add_argument('--mutants', action='store_true', help='also the kernels with a mistake each')
    parser.add_argument('ntbox')
    parser.add_argument('build')
    options = parser.parse_args()
    tally, begin = Tally(), time.monotonic()
    soak_rounds(options, tally)
    soak_stress(options, tally)
    soak_memory(options, tally)
    soak_attack(options, tally)
    soak_samples(options, tally)
    if options.mutants:
        tally.run('mutants', soak_mutants, options)
    print(f'{(time.monotonic() - begin) / 60:.1f} minutes')
    finish(tally)


main()
