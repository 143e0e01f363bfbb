/** A training run as the user sees it: its folder, its logs, its progress, its interruption. */
package autosparse.trainer.run;
