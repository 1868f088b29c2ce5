using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Microsoft.ML.KagPrompt.Results.Database.Migrations.Sqlite
{
    /// <inheritdoc />
    internal partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "results",
                columns: table => new
                {
                    Id = table.Column<Guid>(type: "TEXT", nullable: false),
                    Product = table.Column<string>(type: "TEXT", maxLength: 200, nullable: false),
                    ModelVersion = table.Column<string>(type: "TEXT", maxLength: 100, nullable: false),
                    ModelHash = table.Column<string>(type: "TEXT", maxLength: 64, nullable: true),
                    Time = table.Column<DateTime>(type: "TEXT", nullable: false),
                    Score = table.Column<float>(type: "REAL", nullable: false),
                    Probability = table.Column<float>(type: "REAL", nullable: true),
                    Threshold = table.Column<float>(type: "REAL", nullable: true),
                    IsAnomalous = table.Column<bool>(type: "INTEGER", nullable: false),
                    IsForeign = table.Column<bool>(type: "INTEGER", nullable: false),
                    Reason = table.Column<string>(type: "TEXT", maxLength: 500, nullable: true),
                    CycleTime = table.Column<long>(type: "INTEGER", nullable: true),
                    Line = table.Column<string>(type: "TEXT", maxLength: 100, nullable: true),
                    Station = table.Column<string>(type: "TEXT", maxLength: 100, nullable: true),
                    PictureHash = table.Column<string>(type: "TEXT", maxLength: 64, nullable: true),
                    MapHash = table.Column<string>(type: "TEXT", maxLength: 64, nullable: true),
                    Feedback = table.Column<string>(type: "TEXT", maxLength: 20, nullable: false),
                    FeedbackBy = table.Column<string>(type: "TEXT", maxLength: 100, nullable: true),
                    FeedbackAt = table.Column<DateTime>(type: "TEXT", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_results", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "feedback",
                columns: table => new
                {
                    Id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    ResultId = table.Column<Guid>(type: "TEXT", nullable: false),
                    Kind = table.Column<string>(type: "TEXT", maxLength: 20, nullable: false),
                    By = table.Column<string>(type: "TEXT", maxLength: 100, nullable: false),
                    At = table.Column<DateTime>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_feedback", x => x.Id);
                    table.ForeignKey(
                        name: "FK_feedback_results_ResultId",
                        column: x => x.ResultId,
                        principalTable: "results",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "IX_feedback_ResultId",
                table: "feedback",
                column: "ResultId");

            migrationBuilder.CreateIndex(
                name: "IX_results_MapHash",
                table: "results",
                column: "MapHash");

            migrationBuilder.CreateIndex(
                name: "IX_results_PictureHash",
                table: "results",
                column: "PictureHash");

            migrationBuilder.CreateIndex(
                name: "IX_results_Product_Score_Id",
                table: "results",
                columns: new[] { "Product", "Score", "Id" });

            migrationBuilder.CreateIndex(
                name: "IX_results_Product_Time_Id",
                table: "results",
                columns: new[] { "Product", "Time", "Id" });

            migrationBuilder.CreateIndex(
                name: "IX_results_Score_Id",
                table: "results",
                columns: new[] { "Score", "Id" });

            migrationBuilder.CreateIndex(
                name: "IX_results_Time_Id",
                table: "results",
                columns: new[] { "Time", "Id" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "feedback");

            migrationBuilder.DropTable(
                name: "results");
        }
    }
}
