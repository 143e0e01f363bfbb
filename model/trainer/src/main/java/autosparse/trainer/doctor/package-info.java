/** What this machine has and how fast it is. */
package autosparse.trainer.doctor;
